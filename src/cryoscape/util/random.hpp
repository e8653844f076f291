#pragma once
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>

namespace cryoscape {

/// Philox4x32-10, a counter-based generator (Salmon, Moraes, Dror, Shaw, SC 2011): (seed, stream) names a
/// reproducible sequence, so particle i of a seed has the same random numbers whatever the thread count. Also
/// a standard UniformRandomBitGenerator of 32-bit words.
class Philox {
 public:
  using result_type = std::uint32_t;
  explicit Philox(std::uint64_t seed, std::uint64_t stream = 0) : seed_(seed), stream_(stream) {}

  static constexpr result_type min() { return 0; }
  static constexpr result_type max() { return 0xFFFFFFFFu; }

  result_type operator()() {
    if (used_ == 4) {
      block_ = generate(seed_, stream_, counter_++);
      used_ = 0;
    }
    return block_[used_++];
  }

  /// Uniform in (0, 1), 53 bits.
  double uniform() {
    const std::uint64_t high = (*this)() >> 5, low = (*this)() >> 6;
    return (static_cast<double>(high * 67108864 + low) + 0.5) / 9007199254740992.0;
  }

  /// Standard normal (Box–Muller).
  double normal() {
    if (has_spare_) {
      has_spare_ = false;
      return spare_;
    }
    const double radius = std::sqrt(-2 * std::log(uniform())), angle = 2 * std::numbers::pi * uniform();
    spare_ = radius * std::sin(angle);
    has_spare_ = true;
    return radius * std::cos(angle);
  }

  /// Uniform integer in [0, n), n ≥ 1.
  std::uint64_t below(std::uint64_t n) {
    return static_cast<std::uint64_t>(uniform() * static_cast<double>(n));
  }

  /// The four words of one counter value.
  static std::array<std::uint32_t, 4> generate(std::uint64_t seed, std::uint64_t stream,
                                               std::uint64_t counter) {
    std::array<std::uint32_t, 4> c{lo(counter), hi(counter), lo(stream), hi(stream)};
    std::uint32_t k0 = lo(seed), k1 = hi(seed);
    for (int round = 0; round < 10; ++round) {
      const std::uint64_t p0 = std::uint64_t{0xD2511F53u} * c[0], p1 = std::uint64_t{0xCD9E8D57u} * c[2];
      c = {hi(p1) ^ c[1] ^ k0, lo(p1), hi(p0) ^ c[3] ^ k1, lo(p0)};
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    return c;
  }

 private:
  static std::uint32_t lo(std::uint64_t v) { return static_cast<std::uint32_t>(v); }
  static std::uint32_t hi(std::uint64_t v) { return static_cast<std::uint32_t>(v >> 32); }

  std::uint64_t seed_, stream_, counter_ = 0;
  std::array<std::uint32_t, 4> block_{};
  int used_ = 4;
  bool has_spare_ = false;
  double spare_ = 0;
};

}  // namespace cryoscape
