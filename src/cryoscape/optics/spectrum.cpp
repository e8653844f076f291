#include "cryoscape/optics/spectrum.hpp"

namespace cryoscape::optics {

std::vector<std::int32_t> shell_table(int box) {
  std::vector<std::int32_t> table;
  table.reserve(static_cast<std::size_t>(box) * (box / 2 + 1));
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx <= box / 2; ++kx) table.push_back(shell_index(kx, row_frequency(row, box)));
  return table;
}

std::vector<double> radial_power(int box, std::span<const std::complex<float>> spectrum) {
  const auto shells = shell_table(box);
  std::vector<double> sum(shell_count(box)), count(shell_count(box));
  for (std::size_t f = 0; f < spectrum.size(); ++f) {
    if (shells[f] > box / 2) continue;
    const int m = multiplicity(static_cast<int>(f % (box / 2 + 1)), box);
    sum[shells[f]] += m * static_cast<double>(std::norm(spectrum[f]));
    count[shells[f]] += m;
  }
  for (std::size_t s = 0; s < sum.size(); ++s) sum[s] /= count[s];
  return sum;
}

}  // namespace cryoscape::optics
