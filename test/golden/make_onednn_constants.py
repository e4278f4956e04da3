"""Writes the values of oneDNN's C names that Pleiad uses, as a C compiler reads them from the headers.

    python test/golden/make_onednn_constants.py INCLUDE_OF_VERSION_2 INCLUDE_OF_VERSION_3

Each argument is a folder that holds oneapi/dnnl/dnnl.h: of Debian's libdnnl-dev 2.6.3, and of the wheel
onednn-devel-cpu-gomp 2023.2.0 (version 3.2.0) or another of that major version. Needs cc.
"""

import json
import pathlib
import subprocess
import sys
import tempfile

NAMES = """
dnnl_f32 dnnl_bf16 dnnl_s32 dnnl_u8
dnnl_eltwise_linear dnnl_eltwise_exp dnnl_eltwise_log dnnl_eltwise_sqrt dnnl_eltwise_tanh dnnl_eltwise_logistic
dnnl_eltwise_soft_relu dnnl_eltwise_gelu_erf dnnl_eltwise_pow
dnnl_binary_add dnnl_binary_sub dnnl_binary_mul dnnl_binary_div dnnl_binary_max dnnl_binary_min
dnnl_reduction_sum dnnl_reduction_max
dnnl_softmax_accurate dnnl_forward_training dnnl_forward_inference dnnl_backward dnnl_use_scale dnnl_use_shift
DNNL_ARG_SRC DNNL_ARG_SRC_1 DNNL_ARG_DST DNNL_ARG_WEIGHTS DNNL_ARG_BIAS DNNL_ARG_MEAN DNNL_ARG_VARIANCE DNNL_ARG_SCALE
DNNL_ARG_SHIFT DNNL_ARG_DIFF_SRC DNNL_ARG_DIFF_DST DNNL_ARG_DIFF_SCALE DNNL_ARG_DIFF_SHIFT
DNNL_ARG_ATTR_MULTIPLE_POST_OP_BASE
dnnl_query_impl_info_str dnnl_query_weights_md dnnl_format_tag_any dnnl_cpu dnnl_stream_in_order
""".split()


def values_of(include):
    lines = [f'printf("%s\\"{name}\\": %lld", first++ ? ", " : "", (long long)({name}));' for name in NAMES]
    program = "\n".join(
        [
            "#include <stdio.h>",
            '#include "oneapi/dnnl/dnnl.h"',
            "int main() { int first = 0;",
            'printf("{\\"version\\": \\"%d.%d.%d\\", \\"values\\": {", DNNL_VERSION_MAJOR, DNNL_VERSION_MINOR,'
            " DNNL_VERSION_PATCH);",
            *lines,
            'printf("}}"); return 0; }',
        ]
    )
    with tempfile.TemporaryDirectory() as folder:
        source = pathlib.Path(folder, "values.c")
        source.write_text(program)
        binary = pathlib.Path(folder, "values")
        subprocess.run(["cc", "-w", f"-I{include}", str(source), "-o", str(binary)], check=True)
        return json.loads(subprocess.run([str(binary)], check=True, capture_output=True, text=True).stdout)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_onednn_constants.py INCLUDE_OF_VERSION_2 INCLUDE_OF_VERSION_3")
    facts = {str(major): values_of(include) for major, include in zip((2, 3), sys.argv[1:])}
    for major, fact in facts.items():
        if not fact["version"].startswith(major + "."):
            sys.exit(f"expected headers of version {major}, found {fact['version']}")
    path = pathlib.Path(__file__).with_name("onednn-constants.json")
    path.write_text(json.dumps(facts, indent=1) + "\n")


if __name__ == "__main__":
    main()
