#include "cryoscape/util/interrupt.hpp"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "cryoscape/util/error.hpp"

namespace cryoscape {
namespace {

std::atomic<int> received{0};

void record(int signal_number) {
  if (received.exchange(signal_number) != 0) _exit(128 + signal_number);
}

}  // namespace

void install_interrupt_handlers() {
  struct sigaction action {};
  action.sa_handler = record;
  sigemptyset(&action.sa_mask);
  action.sa_flags = SA_RESTART;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

int pending_interrupt() { return received.load(); }

void throw_if_interrupted() {
  if (const int s = pending_interrupt()) throw Interrupted(s, "interrupted");
}

}  // namespace cryoscape
