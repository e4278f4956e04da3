"""Writes two things beside this script, by transformers 4.53, the last line with a question-answering pipeline that is maintained:

question-answering-hf.json: its answers, on a tiny BERT with random weights and a random head;
checkpoints/spanbert-squad/: a model in the layout of mrm8488/spanbert-large-finetuned-squadv2 and SpanBERT/spanbert-large-cased
(config.json, vocab.txt and legacy float16 pytorch_model.bin, no tokenizer files else), tiny and random, with the logits that
torch computes for the example of its model card.

    python -m venv /tmp/qa && /tmp/qa/bin/pip install "transformers==4.53.*" torch
    /tmp/qa/bin/python test/golden/make_question_answering_golden.py

The model of the former lies in the same file: its weights as multiples of 1/256, so that they are exact and few bytes. Logits are spread (times
SPREAD) so that some answers are near-certain and others are not. Offsets are code points, as Python counts.
"""

import json
import tempfile
from pathlib import Path

import torch
import transformers
from transformers import BertConfig, BertForQuestionAnswering, BertTokenizerFast, pipeline

HERE = Path(__file__).parent
SEED = 20531
SPREAD = 6
WORDS = (
    "the chef cook ##ed ##s ate meal a good . , ? who what where in paris kitchen of and machine learning is subset artificial "
    "intelligence email filter ##ing computer vision 料 理 é 1989 ##년 왕 ##이 un ##related"
).split()
VOCABULARY = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *WORDS]
CONFIG = dict(
    vocab_size=len(VOCABULARY), hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=24,
    max_position_embeddings=64, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0,
)
LONG = " ".join(
    ["The chef cooked a good meal in the kitchen of Paris.", "Who ate meals, and where?", "Machine learning is good."] * 7
)
CONTEXTS = [
    "Machine learning is a subset of artificial intelligence. It is widely for creating a variety of applications such as email filtering and computer vision",
    "the chef ate a meal. The Chef ate. the chef ate the meal!",
    "🍕🍕 the chef cooked 料理 in Paris 🍕 é and é, 1989년 왕이",
    LONG,
]
QUESTIONS = ["What is machine learning?", "who cooked the meal"]
OPTIONS = [
    {},
    {"top_k": 5},
    {"top_k": 3, "handle_impossible_answer": True},
    {"top_k": 4, "align_to_words": False},
    {"top_k": 4, "max_answer_len": 2, "max_seq_len": 32, "doc_stride": 6},
    {"top_k": 20, "max_seq_len": 40, "doc_stride": 12, "handle_impossible_answer": True},
]
NAMES = {
    "top_k": "topK", "handle_impossible_answer": "handleImpossibleAnswer", "align_to_words": "alignToWords",
    "max_answer_len": "maxAnswerLength", "max_seq_len": "maxLength", "doc_stride": "docStride",
}


CARD_QUESTION = "What is machine learning?"
# Cased: the vocabulary of SpanBERT is, and nothing but its letters says so.
CARD_WORDS = (
    "What Machine machine learning is a subset of artificial intelligence It widely for creating variety applications such as "
    "email filtering and computer vision . ? , The In Paris Who A He We"
).split()
CARD_CONFIG = CONFIG | dict(max_position_embeddings=512, hidden_size=16, vocab_size=5 + len(CARD_WORDS))


def write_spanbert() -> None:
    torch.manual_seed(SEED + 1)
    folder = HERE / "checkpoints" / "spanbert-squad"
    folder.mkdir(parents=True, exist_ok=True)
    vocabulary = VOCABULARY[:5] + CARD_WORDS
    (folder / "vocab.txt").write_text("\n".join(vocabulary) + "\n", encoding="utf-8")
    config = BertConfig(**CARD_CONFIG)
    published = {
        "architectures": ["BertForQuestionAnswering"], "directionality": "bidi", "hidden_act": "gelu", "initializer_range": 0.02,
        "layer_norm_eps": 1e-12, "pad_token_id": 0, "pooler_fc_size": 768, "type_vocab_size": 2, "model_type": "bert", **CARD_CONFIG,
    }
    (folder / "config.json").write_text(json.dumps(published, indent=2) + "\n", encoding="utf-8")
    model = BertForQuestionAnswering(config).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.3 * torch.randn(parameter.shape))
    weights = {name: value.half() for name, value in model.state_dict().items()}
    torch.save(weights, folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)
    model.load_state_dict({name: value.float() for name, value in weights.items()})
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False)
    encoded = tokenizer(CARD_QUESTION, CONTEXTS[0], return_tensors="pt")
    with torch.no_grad():
        output = model.double()(**encoded)
    expected = {
        "question": CARD_QUESTION, "context": CONTEXTS[0], "inputIds": encoded["input_ids"][0].tolist(),
        "startLogits": output.start_logits[0].tolist(), "endLogits": output.end_logits[0].tolist(),
    }
    (folder / "expected.json").write_text(json.dumps(expected) + "\n", encoding="utf-8")


def main() -> None:
    write_spanbert()
    torch.manual_seed(SEED)
    model = BertForQuestionAnswering(BertConfig(**CONFIG)).eval()
    tensors = {}
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            spread = SPREAD if name == "qa_outputs.weight" else 1
            scale = 0.1 if "LayerNorm" in name or name.endswith("bias") else 0.5
            base = 1.0 if name.endswith("LayerNorm.weight") else 0.0
            steps = torch.round((base + scale * torch.randn(parameter.shape)) * spread * 256)
            parameter.copy_(steps / 256)
            tensors[name] = {"shape": list(parameter.shape), "values": steps.to(torch.int64).flatten().tolist()}
    with tempfile.TemporaryDirectory() as folder:
        vocabulary = Path(folder) / "vocab.txt"
        vocabulary.write_text("\n".join(VOCABULARY) + "\n", encoding="utf-8")
        tokenizer = BertTokenizerFast(str(vocabulary), do_lower_case=True, model_max_length=CONFIG["max_position_embeddings"])
        ask = pipeline("question-answering", model=model, tokenizer=tokenizer)
        cases = []
        for context in CONTEXTS:
            for question in QUESTIONS:
                for options in OPTIONS:
                    found = ask(question=question, context=context, **options)
                    answers = found if isinstance(found, list) else [found]
                    ours = {NAMES[name]: value for name, value in options.items()}
                    cases.append({"question": question, "context": context, "options": ours, "answers": answers})
    golden = {
        "transformers": transformers.__version__, "vocabulary": VOCABULARY, "config": CONFIG, "step": 1 / 256,
        "tensors": tensors, "cases": cases,
    }
    (HERE / "question-answering-hf.json").write_text(json.dumps(golden, ensure_ascii=False) + "\n", encoding="utf-8")
    scores = [answer["score"] for case in cases for answer in case["answers"]]
    print(f"transformers {transformers.__version__}: {len(cases)} cases, scores {min(scores):.2g} to {max(scores):.3f}")


main()
