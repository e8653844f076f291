#pragma once

namespace cryoscape::bench {

/// Multiply-adds of floats per second that one core reaches with the widest instructions of this machine, all
/// operands in registers.
double peak_multiply_adds();

}  // namespace cryoscape::bench
