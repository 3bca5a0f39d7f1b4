// What Python calls in a compiled circuit; sim/compiled_library.py says the same in ctypes. circuit.cc is what CXXRTL
// wrote, of a top module that was renamed to `circuit`. ONE_EDGE is 1 when one evaluation a clock is enough: the rising
// edge of clk is all that a register or memory waits for, and nothing has to be evaluated twice.

#include "circuit.cc"
#include <algorithm>
#include <cstring>
#include <cxxrtl/cxxrtl_vcd.h>

#define EXPORTED extern "C" __attribute__((visibility("default")))

namespace {

struct Circuit {
  cxxrtl_design::p_circuit top;
  cxxrtl::debug_items items;
  std::unique_ptr<cxxrtl::vcd_writer> waveforms;
  uint64_t cycles = 0;

  Circuit() { top.debug_info(&items, nullptr, "top "); }

  // Until nothing changes any more. A single step would leave outputs as they were before registers took new values.
  void settle() {
    do
      top.eval();
    while (top.commit());
  }

  // Rising and falling edges. Outputs are right while the clock is low, and all was settled before.
  void tick() {
    if (waveforms)
      waveforms->sample(10 * cycles);
    top.p_clk.template set<uint32_t>(1);
    top.step();
    if (waveforms)
      waveforms->sample(10 * cycles + 5);
    top.p_clk.template set<uint32_t>(0);
    settle();
    cycles++;
  }

  // A clock at the price of one evaluation: its outputs are those before the edge, and what registers take at the edge
  // waits to be committed.
  void evaluate_edge() {
#if ONE_EDGE
    top.p_clk.template set<uint32_t>(1);
    top.prev_p_clk.template set<uint32_t>(0);
    top.eval();
#endif
  }

  void commit_edge() {
    top.commit();
    cycles++;
  }
};

// xorshift32: pauses only have to be irregular, and the same everywhere.
uint32_t next_random(uint32_t &state) {
  state ^= state << 13;
  state ^= state >> 17;
  return state ^= state << 5;
}

} // namespace

typedef void (*port_visitor)(const char *name, int is_input, size_t width, uint32_t *bits);

EXPORTED Circuit *circuit_open() {
  return new Circuit;
}

EXPORTED void circuit_close(Circuit *circuit) {
  delete circuit;
}

// Ports of the top module; where an input is written and an output is read, least significant chunk first.
EXPORTED void circuit_ports(Circuit *circuit, port_visitor visit) {
  for (auto &entry : circuit->items.table) {
    std::string name = entry.first.substr(strlen("top "));
    // What lies below the top has a path with spaces, and is no port of it.
    if (name.find(' ') != std::string::npos)
      continue;
    for (auto &object : entry.second)
      if (object.flags & cxxrtl::debug_item::INPUT)
        visit(name.c_str(), 1, object.width, object.next);
      else if (object.flags & cxxrtl::debug_item::OUTPUT)
        visit(name.c_str(), 0, object.width, object.curr);
  }
}

typedef void (*memory_visitor)(const char *name, size_t width, size_t depth, uint32_t *bits);

// Memories with their paths; rows lie one behind the other, each least significant chunk first.
EXPORTED void circuit_memories(Circuit *circuit, memory_visitor visit) {
  for (auto &entry : circuit->items.table)
    for (auto &object : entry.second)
      if (object.type == cxxrtl::debug_item::MEMORY)
        visit(entry.first.substr(strlen("top ")).c_str(), object.width, object.depth, object.curr);
}

EXPORTED void circuit_settle(Circuit *circuit) {
  circuit->settle();
}

EXPORTED void circuit_tick(Circuit *circuit, size_t count) {
  for (; count; count--)
    circuit->tick();
}

// From here on every clock is written down, one microsecond long; what was written is taken by circuit_waveforms.
EXPORTED void circuit_watch(Circuit *circuit) {
  circuit->waveforms = std::make_unique<cxxrtl::vcd_writer>();
  circuit->waveforms->timescale(100, "ns");
  circuit->waveforms->add_without_memories(circuit->items);
}

EXPORTED void circuit_unwatch(Circuit *circuit) {
  circuit->waveforms.reset();
}

EXPORTED size_t circuit_waveforms(Circuit *circuit, const char **text) {
  *text = circuit->waveforms->buffer.data();
  return circuit->waveforms->buffer.size();
}

EXPORTED void circuit_forget_waveforms(Circuit *circuit) {
  circuit->waveforms->buffer.clear();
}

// A stream into the circuit, whose payloads take some chunks of 32 bits, and one out of it, of up to 32 bits.
struct Exchange {
  uint32_t *i_valid;
  const uint32_t *i_ready;
  uint32_t *i_payload;
  const uint32_t *o_valid;
  uint32_t *o_ready;
  const uint32_t *o_payload;

  const uint32_t *words; // to go in
  size_t count, taken;   // of payloads
  size_t chunks;         // of each
  uint32_t *answers; // to come out
  size_t room, given;

  uint64_t idle;        // the last clocks, of all calls, in which nothing was transferred
  uint64_t idle_limit;  // at which a call ends
  uint64_t call_cycles; // of this call
  uint64_t call_limit;
  uint32_t i_pause;  // chance of a clock before each word, in 2^-32
  uint32_t o_pause;  // and of one in which no answer is taken
  uint32_t random;   // state, not 0
  uint32_t offering; // a word stays where it is until it is taken
};

// Ends when all words are in, the room for answers is full, or at a limit.
EXPORTED void circuit_exchange(Circuit *circuit, Exchange *exchange) {
  Circuit &c = *circuit;
  Exchange &e = *exchange;
  const bool both_edges = !ONE_EDGE || c.waveforms;
  for (e.call_cycles = 0; e.call_cycles < e.call_limit && e.idle < e.idle_limit && e.given < e.room;) {
    if (!e.offering && e.taken < e.count)
      e.offering = !e.i_pause || next_random(e.random) >= e.i_pause;
    *e.i_valid = e.offering;
    if (e.offering)
      std::copy_n(e.words + e.taken * e.chunks, e.chunks, e.i_payload);
    *e.o_ready = !e.o_pause || next_random(e.random) >= e.o_pause;

    if (both_edges)
      c.settle();
    else
      c.evaluate_edge();
    const bool in = e.offering && *e.i_ready, out = *e.o_valid && *e.o_ready;
    if (out)
      e.answers[e.given++] = *e.o_payload;
    if (both_edges)
      c.tick();
    else
      c.commit_edge();

    e.call_cycles++;
    e.idle = in || out ? 0 : e.idle + 1;
    if (in) {
      e.offering = 0;
      if (++e.taken == e.count)
        break;
    }
  }
  *e.i_valid = *e.o_ready = 0;
  c.top.p_clk.template set<uint32_t>(0);
  c.settle();
}
