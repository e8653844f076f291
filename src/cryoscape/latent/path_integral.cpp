#include "cryoscape/latent/path_integral.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cryoscape/util/parallel.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::latent {
namespace {

/// Uniform in (0, 1), of one word.
float word_uniform(Philox& random) { return (static_cast<float>(random() >> 8) + 0.5f) / 16777216.0f; }

/// One path on the move: the slices of a unit lie together.
class Path {
 public:
  Path(const TransverseMachine& machine, float* values)
      : m_(machine), values_(values), z_(machine.units * machine.slices), field_(machine.slices) {
    for (std::size_t k = 0; k < m_.slices; ++k)
      for (std::size_t i = 0; i < m_.units; ++i) z_[i * m_.slices + k] = values_[k * m_.units + i];
    log_hold_ = static_cast<float>(std::log1p(-std::tanh(m_.field / static_cast<double>(m_.slices))));
  }
  ~Path() {
    for (std::size_t k = 0; k < m_.slices; ++k)
      for (std::size_t i = 0; i < m_.units; ++i) values_[k * m_.units + i] = z_[i * m_.slices + k];
  }
  Path(const Path&) = delete;
  Path& operator=(const Path&) = delete;

  void sweep(Philox& random) {
    for (std::size_t i = 0; i < m_.units; ++i) {
      find_fields(i);
      update_line(&z_[i * m_.slices], random);
    }
  }

 private:
  void find_fields(std::size_t unit) {
    std::fill(field_.begin(), field_.end(), m_.biases[unit]);
    const float* row = m_.couplings + unit * m_.units;
    for (std::size_t j = 0; j < m_.units; ++j) {
      const float coupling = row[j];
      const float* z = &z_[j * m_.slices];
      for (std::size_t k = 0; k < m_.slices; ++k) field_[k] += coupling * z[k];
    }
  }

  /// How many of the bonds to come hold before one is cut, though its ends agree.
  std::size_t bonds_to_cut(Philox& random) const {
    const float bonds = std::log(word_uniform(random)) / log_hold_;
    return bonds < static_cast<float>(m_.slices) ? static_cast<std::size_t>(bonds) : m_.slices;
  }

  void update_line(float* z, Philox& random) {
    const std::size_t slices = m_.slices;
    cuts_.clear();  // bond k joins slices k and k + 1, the last one and the first
    std::size_t hold = bonds_to_cut(random);
    for (std::size_t k = 0; k < slices; ++k) {
      if (z[k] != z[k + 1 == slices ? 0 : k + 1]) {
        cuts_.push_back(k);
      } else if (hold-- == 0) {
        cuts_.push_back(k);
        hold = bonds_to_cut(random);
      }
    }
    // One cluster per cut, from behind it to the next; without a cut, or with one, the whole line.
    const std::size_t clusters = std::max<std::size_t>(cuts_.size(), 1);
    for (std::size_t c = 0; c < clusters; ++c) {
      const std::size_t begin = cuts_.empty() ? 0 : cuts_[c] + 1;
      std::size_t end = begin + slices;
      if (cuts_.size() > 1) end = c + 1 < clusters ? cuts_[c + 1] + 1 : cuts_[0] + 1 + slices;
      float odds = 0;
      for (std::size_t k = begin; k < end; ++k) odds += field_[k % slices];
      const float p = 1 / (1 + std::exp(-odds / static_cast<float>(slices)));
      const float value = word_uniform(random) < p ? 1.0f : 0.0f;
      for (std::size_t k = begin; k < end; ++k) z[k % slices] = value;
    }
  }

  const TransverseMachine& m_;
  float* values_;
  std::vector<float> z_, field_;
  std::vector<std::size_t> cuts_;
  float log_hold_;
};

}  // namespace

void move_paths(const TransverseMachine& machine, std::span<float> paths, int sweeps, std::uint64_t seed) {
  const std::size_t size = machine.units * machine.slices;
  parallel_for(paths.size() / size, [&](std::size_t k) {
    Philox random(seed, k);
    Path path(machine, paths.data() + k * size);
    for (int s = 0; s < sweeps; ++s) path.sweep(random);
  });
}

void draw_free_paths(const TransverseMachine& machine, std::span<float> paths, std::uint64_t seed) {
  const std::size_t size = machine.units * machine.slices, slices = machine.slices;
  const double step = machine.field / static_cast<double>(slices);
  parallel_for(paths.size() / size, [&](std::size_t n) {
    Philox random(seed, n);
    for (std::size_t i = 0; i < machine.units; ++i) {
      float* z = paths.data() + n * size + i;
      const float first = random.uniform() < 0.5 ? 1.0f : 0.0f;
      z[0] = first;
      for (std::size_t k = 1; k < slices; ++k) {
        // From slice k − 1, and still to come back to the first in slices − k steps: ⟨s'|e^{tσˣ}|s⟩ is cosh t
        // for equal and sinh t for different s.
        const double rest = step * static_cast<double>(slices - k);
        const bool at_first = z[(k - 1) * machine.units] == first;
        const double same = (at_first ? std::cosh(step) : std::sinh(step)) * std::cosh(rest),
                     other = (at_first ? std::sinh(step) : std::cosh(step)) * std::sinh(rest);
        z[k * machine.units] = random.uniform() * (same + other) < same ? first : 1 - first;
      }
    }
  });
}

}  // namespace cryoscape::latent
