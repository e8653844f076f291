#include "cryoscape/report/rand_index.hpp"

#include <map>
#include <stdexcept>
#include <utility>

namespace cryoscape::report {
namespace {

/// Pairs of items that share a key.
template <class Key>
double pairs(const std::map<Key, double>& counts) {
  double sum = 0;
  for (const auto& [key, n] : counts) sum += n * (n - 1) / 2;
  return sum;
}

}  // namespace

double adjusted_rand_index(std::span<const int> a, std::span<const int> b) {
  if (a.size() != b.size()) throw std::invalid_argument("adjusted_rand_index: lengths differ");
  std::map<int, double> in_a, in_b;
  std::map<std::pair<int, int>, double> in_both;
  for (std::size_t i = 0; i < a.size(); ++i) ++in_a[a[i]], ++in_b[b[i]], ++in_both[{a[i], b[i]}];
  const auto n = static_cast<double>(a.size());
  const double all = n * (n - 1) / 2, together_a = pairs(in_a), together_b = pairs(in_b);
  const double expected = all > 0 ? together_a * together_b / all : 0;
  const double largest = (together_a + together_b) / 2;
  return largest == expected ? 1.0 : (pairs(in_both) - expected) / (largest - expected);
}

}  // namespace cryoscape::report
