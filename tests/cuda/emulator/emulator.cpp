#include "emulator.hpp"

#include <ucontext.h>

#include <cstddef>
#include <utility>
#include <vector>

namespace cryoscape::emulator {
namespace {

constexpr unsigned kWarp = 32;
constexpr std::size_t kStack = 65536;

/// Threads that wait for each other; those that have ended are waited for no more.
struct Group {
  int living = 0, waiting = 0;
  long turn = 0;

  void let_go_if_complete() {
    if (living == 0 || waiting < living) return;
    waiting = 0;
    ++turn;
  }
};

struct Fiber {
  ucontext_t context;
  std::vector<char> stack = std::vector<char>(kStack);
  bool ended = false;
  char bytes[8] = {};
};

struct Machine {
  std::function<void()> body;
  std::vector<Fiber> fibers;
  std::vector<Group> warps;
  Group all;
  ucontext_t scheduler;
  unsigned thread = 0, block = 0;

  Fiber& fiber() { return fibers[thread]; }
  Group& warp() { return warps[thread / kWarp]; }
};

Machine machine;

void yield() { swapcontext(&machine.fiber().context, &machine.scheduler); }

void wait_for(Group& group) {
  const long turn = group.turn;
  ++group.waiting;
  group.let_go_if_complete();
  while (group.turn == turn) yield();
}

void run_thread() {
  machine.body();
  machine.fiber().ended = true;
  for (auto* group : {&machine.warp(), &machine.all}) {
    --group->living;
    group->let_go_if_complete();
  }
  yield();
}

void start_fiber(unsigned thread) {
  auto& fiber = machine.fibers[thread];
  fiber.ended = false;
  getcontext(&fiber.context);
  fiber.context.uc_stack.ss_sp = fiber.stack.data();
  fiber.context.uc_stack.ss_size = fiber.stack.size();
  fiber.context.uc_link = nullptr;
  makecontext(&fiber.context, run_thread, 0);
  ++machine.warps[thread / kWarp].living;
  ++machine.all.living;
}

void run_block(unsigned block, unsigned threads) {
  machine.block = block;
  machine.warps.assign((threads + kWarp - 1) / kWarp, {});
  machine.all = {};
  for (unsigned t = 0; t < threads; ++t) start_fiber(t);
  while (machine.all.living > 0)
    for (unsigned k = 0; k < threads; ++k) {
      machine.thread = block % 2 ? threads - 1 - k : k;
      if (!machine.fiber().ended) swapcontext(&machine.scheduler, &machine.fiber().context);
    }
}

}  // namespace

void launch(unsigned blocks, unsigned threads, std::function<void()> body) {
  machine.body = std::move(body);
  machine.fibers = std::vector<Fiber>(threads);
  for (unsigned b = 0; b < blocks; ++b) run_block(b, threads);
}

unsigned thread() { return machine.thread; }
unsigned block() { return machine.block; }

void wait_for_block() { wait_for(machine.all); }

bool all_of_block(bool value) {
  machine.fiber().bytes[0] = value;
  wait_for(machine.all);
  bool all = true;
  for (const auto& fiber : machine.fibers) all = all && fiber.bytes[0];
  wait_for(machine.all);
  return all;
}

unsigned ballot(bool vote) {
  machine.fiber().bytes[0] = vote;
  wait_for(machine.warp());
  unsigned votes = 0;
  const unsigned first = machine.thread / kWarp * kWarp;
  for (unsigned lane = 0; lane < kWarp; ++lane)
    if (machine.fibers[first + lane].bytes[0]) votes |= 1u << lane;
  wait_for(machine.warp());
  return votes;
}

void exchange_bytes(void* bytes, unsigned lane) {
  std::memcpy(machine.fiber().bytes, bytes, 8);
  wait_for(machine.warp());
  std::memcpy(bytes, machine.fibers[machine.thread / kWarp * kWarp + lane].bytes, 8);
  wait_for(machine.warp());
}

}  // namespace cryoscape::emulator
