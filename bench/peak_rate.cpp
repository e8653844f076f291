#include "peak_rate.hpp"

#include <algorithm>
#include <chrono>
#include <cstddef>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "peak_rate.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace cryoscape::bench::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// Twelve independent chains hide the latency of the multiply-add. Returns a value so that nothing is
// optimised away, and how many multiply-adds were done in `count`.
float Chains(std::size_t rounds, double* count) {
  const hn::ScalableTag<float> d;
  const auto factor = hn::Set(d, 0.999f), term = hn::Set(d, 1e-3f);
  auto a0 = hn::Iota(d, 0.0f), a1 = hn::Iota(d, 1.0f), a2 = hn::Iota(d, 2.0f), a3 = hn::Iota(d, 3.0f),
       a4 = hn::Iota(d, 4.0f), a5 = hn::Iota(d, 5.0f), a6 = hn::Iota(d, 6.0f), a7 = hn::Iota(d, 7.0f),
       a8 = hn::Iota(d, 8.0f), a9 = hn::Iota(d, 9.0f), aa = hn::Iota(d, 10.0f), ab = hn::Iota(d, 11.0f);
  for (std::size_t i = 0; i < rounds; ++i) {
    a0 = hn::MulAdd(a0, factor, term), a1 = hn::MulAdd(a1, factor, term), a2 = hn::MulAdd(a2, factor, term);
    a3 = hn::MulAdd(a3, factor, term), a4 = hn::MulAdd(a4, factor, term), a5 = hn::MulAdd(a5, factor, term);
    a6 = hn::MulAdd(a6, factor, term), a7 = hn::MulAdd(a7, factor, term), a8 = hn::MulAdd(a8, factor, term);
    a9 = hn::MulAdd(a9, factor, term), aa = hn::MulAdd(aa, factor, term), ab = hn::MulAdd(ab, factor, term);
  }
  *count = 12.0 * static_cast<double>(rounds) * static_cast<double>(hn::Lanes(d));
  const auto low = hn::Add(hn::Add(hn::Add(a0, a1), hn::Add(a2, a3)), hn::Add(a4, a5));
  const auto high = hn::Add(hn::Add(hn::Add(a6, a7), hn::Add(a8, a9)), hn::Add(aa, ab));
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(low, high)));
}

}  // namespace cryoscape::bench::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace cryoscape::bench {
HWY_EXPORT(Chains);

double peak_multiply_adds() {
  double best = 0;
  volatile float sink = 0;
  for (int repeat = 0; repeat < 10; ++repeat) {
    double count = 0;
    const auto start = std::chrono::steady_clock::now();
    sink = sink + HWY_DYNAMIC_DISPATCH(Chains)(1000000, &count);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, count / seconds.count());
  }
  return best;
}

}  // namespace cryoscape::bench
#endif  // HWY_ONCE
