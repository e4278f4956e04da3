/**
 * The opcodes of pickles, and running one. CPython, Lib/pickletools.py: protocols 2 to 5 as PyTorch writes them. The text
 * opcodes of protocol 0 are refused, as nothing that we read contains them.
 */
import { PickleDict, PickleMachine, PickleProblem, type PickleRules } from './pickleMachine.js';

/**
 * Runs one pickle.
 * @param start   byte position of the pickle in `bytes`
 * @param source  file name for messages
 * @returns       the value (dicts are `PickleDict`s, tuples are frozen arrays, integers beyond 2^53 bigints) and the
 *                position behind the pickle
 * @throws PickleIncomplete when `bytes` end before the pickle does
 * @throws CheckpointError naming the global, opcode or limit that is refused, and its position
 */
export function unpickle(
  bytes: Uint8Array,
  rules: PickleRules,
  source: string,
  start = 0,
): { value: unknown; end: number } {
  const machine = new PickleMachine(bytes, rules, source, start);
  return { value: run(machine), end: machine.position };
}

type Opcode = (machine: PickleMachine) => unknown;

function run(machine: PickleMachine): unknown {
  for (;;) {
    machine.checkLimits();
    const at = machine.position;
    const code = machine.uint8();
    if (code === STOP) return machine.result();
    const opcode = BY_CODE[code];
    if (!opcode) throw machine.unknownOpcode(code, at);
    const [, name, act] = opcode;
    try {
      act(machine);
    } catch (error) {
      throw machine.located(error, `${name} at byte ${at}`);
    }
  }
}

const STOP = 0x2e;
const HIGHEST_PROTOCOL = 5;

const OPCODES: readonly (readonly [code: number, name: string, act: Opcode])[] = [
  // Framing. Frames (protocol 4) say how much to read ahead; we have no use for that.
  [
    0x80,
    'PROTO',
    (m) => {
      const protocol = m.uint8();
      if (protocol > HIGHEST_PROTOCOL)
        throw new PickleProblem(`is of protocol ${protocol}, newer than ${HIGHEST_PROTOCOL}`);
    },
  ],
  [0x95, 'FRAME', (m) => m.uint64()],

  // Constants.
  [0x4e, 'NONE', (m) => m.push(null)],
  [0x88, 'NEWTRUE', (m) => m.push(true)],
  [0x89, 'NEWFALSE', (m) => m.push(false)],
  [0x4a, 'BININT', (m) => m.push(m.int32())],
  [0x4b, 'BININT1', (m) => m.push(m.uint8())],
  [0x4d, 'BININT2', (m) => m.push(m.uint16())],
  [0x8a, 'LONG1', (m) => m.push(m.integer(m.uint8()))],
  [0x8b, 'LONG4', (m) => m.push(m.integer(m.uint32()))],
  [0x47, 'BINFLOAT', (m) => m.push(m.float64())],

  // Text and bytes; the strings are Python 2's.
  [0x58, 'BINUNICODE', (m) => m.push(m.text(m.uint32()))],
  [0x8c, 'SHORT_BINUNICODE', (m) => m.push(m.text(m.uint8()))],
  [0x8d, 'BINUNICODE8', (m) => m.push(m.text(m.uint64()))],
  [0x54, 'BINSTRING', (m) => m.push(m.latin1(m.uint32()))],
  [0x55, 'SHORT_BINSTRING', (m) => m.push(m.latin1(m.uint8()))],
  [0x42, 'BINBYTES', (m) => m.push(m.take(m.uint32()))],
  [0x43, 'SHORT_BINBYTES', (m) => m.push(m.take(m.uint8()))],
  [0x8e, 'BINBYTES8', (m) => m.push(m.take(m.uint64()))],
  [0x96, 'BYTEARRAY8', (m) => m.push(m.take(m.uint64()))],

  // Containers.
  [0x28, 'MARK', (m) => m.mark()],
  [0x30, 'POP', (m) => (m.stack.length === 0 ? m.popMark() : m.pop())],
  [0x31, 'POP_MARK', (m) => m.popMark()],
  [0x32, 'DUP', (m) => m.push(m.top())],
  [0x29, 'EMPTY_TUPLE', (m) => m.tuple([])],
  [0x74, 'TUPLE', (m) => m.tuple(m.popMark())],
  [0x85, 'TUPLE1', (m) => m.tuple([m.pop()])],
  [0x86, 'TUPLE2', (m) => m.tuple([m.pop(), m.pop()].reverse())],
  [0x87, 'TUPLE3', (m) => m.tuple([m.pop(), m.pop(), m.pop()].reverse())],
  [0x5d, 'EMPTY_LIST', (m) => m.push(m.make([]))],
  [0x6c, 'LIST', (m) => m.push(m.make(m.popMark()))],
  [0x61, 'APPEND', (m) => m.append([m.pop()])],
  [0x65, 'APPENDS', (m) => m.append(m.popMark())],
  [0x7d, 'EMPTY_DICT', (m) => m.push(m.make(new PickleDict()))],
  [
    0x64,
    'DICT',
    (m) => {
      const items = m.popMark();
      m.push(m.make(new PickleDict()));
      m.setItems(items);
    },
  ],
  [0x73, 'SETITEM', (m) => m.setItems([m.pop(), m.pop()].reverse())],
  [0x75, 'SETITEMS', (m) => m.setItems(m.popMark())],
  [0x8f, 'EMPTY_SET', (m) => m.push(m.make(new Set()))],
  [0x90, 'ADDITEMS', (m) => m.addItems(m.popMark())],
  [0x91, 'FROZENSET', (m) => m.push(m.make(new Set(m.popMark())))],

  // Memo.
  [0x71, 'BINPUT', (m) => m.setMemo(m.uint8())],
  [0x72, 'LONG_BINPUT', (m) => m.setMemo(m.uint32())],
  [0x94, 'MEMOIZE', (m) => m.setMemo(m.memo.size)],
  [0x68, 'BINGET', (m) => m.getMemo(m.uint8())],
  [0x6a, 'LONG_BINGET', (m) => m.getMemo(m.uint32())],

  // Globals and calls. INST and OBJ are the forms of protocols 0 and 1; they go the same way, so that what they ask for is
  // named.
  [0x63, 'GLOBAL', (m) => m.global(m.line(), m.line())],
  [
    0x93,
    'STACK_GLOBAL',
    (m) => {
      const name = m.pop();
      m.global(m.pop(), name);
    },
  ],
  [
    0x69,
    'INST',
    (m) => {
      m.global(m.line(), m.line());
      const callee = m.pop();
      m.call(callee, m.popMark());
    },
  ],
  [
    0x6f,
    'OBJ',
    (m) => {
      const [callee, ...args] = m.popMark();
      m.call(callee, args);
    },
  ],
  [
    0x52,
    'REDUCE',
    (m) => {
      const args = m.pop();
      m.call(m.pop(), args);
    },
  ],
  [
    0x81,
    'NEWOBJ',
    (m) => {
      const args = m.pop();
      m.call(m.pop(), args);
    },
  ],
  [
    0x92,
    'NEWOBJ_EX',
    (m) => {
      const named = m.pop();
      const args = m.pop();
      if (!(named instanceof PickleDict) || named.size > 0) throw new PickleProblem('calls with arguments by name');
      m.call(m.pop(), args);
    },
  ],
  [0x62, 'BUILD', (m) => m.build()],
  [0x51, 'BINPERSID', (m) => m.push(m.rules.persistent(m.pop()))],
];

const BY_CODE = new Array<(typeof OPCODES)[number] | undefined>(256).fill(undefined);
for (const opcode of OPCODES) BY_CODE[opcode[0]] = opcode;
