#include "cryoscape/report/rank_auc.hpp"

#include <algorithm>
#include <numeric>
#include <stdexcept>

namespace cryoscape::report {

std::optional<double> rank_auc(std::span<const double> scores, const std::vector<bool>& marked) {
  if (scores.size() != marked.size()) throw std::invalid_argument("rank_auc: lengths differ");
  std::vector<std::size_t> order(scores.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](auto a, auto b) { return scores[a] < scores[b]; });
  double unmarked_below = 0, wins = 0, marked_count = 0;
  for (std::size_t begin = 0, end; begin < order.size(); begin = end) {
    double tied_marked = 0, tied_unmarked = 0;
    for (end = begin; end < order.size() && scores[order[end]] == scores[order[begin]]; ++end)
      ++(marked[order[end]] ? tied_marked : tied_unmarked);
    wins += tied_marked * (unmarked_below + 0.5 * tied_unmarked);
    unmarked_below += tied_unmarked, marked_count += tied_marked;
  }
  if (marked_count == 0 || unmarked_below == 0) return std::nullopt;
  return wins / (marked_count * unmarked_below);
}

}  // namespace cryoscape::report
