#include "cryoscape/particles/preprocessing.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdint>

#include "cryoscape/optics/fft.hpp"

namespace cryoscape::particles {
namespace {

constexpr float kSmallestCtf = 0.01f;
constexpr double kSameScale = 1e-6;  ///< relative; below it pixel sizes differ by rounding only
constexpr double kConstant = 1e-12;  ///< variance over mean² of rounding errors

/// Sums over pixels in independent lanes, which the compiler turns into vectors.
struct Moments {
  static constexpr int kLanes = 8;
  std::array<double, kLanes> sums{}, squares{};
  double count = 0;

  void add(const float* x, int n) {
    int i = 0;
    for (; i + kLanes <= n; i += kLanes)
      for (int k = 0; k < kLanes; ++k) {
        const double v = x[i + k];
        sums[k] += v, squares[k] += v * v;
      }
    for (; i < n; ++i) {
      const double v = x[i];
      sums[0] += v, squares[0] += v * v;
    }
    count += std::max(0, n);
  }
  double mean() const { return total(sums) / count; }
  double variance() const { return total(squares) / count - mean() * mean(); }

 private:
  static double total(const std::array<double, kLanes>& x) {
    double t = 0;
    for (const double v : x) t += v;
    return t;
  }
};

}  // namespace

std::array<float, 9> Placement::rotation(const std::array<float, 9>& r) const {
  auto out = r;
  for (int c = 0; c < 3; ++c) {
    out[c] = static_cast<float>(linear[0] * r[c] + linear[1] * r[3 + c]);
    out[3 + c] = static_cast<float>(linear[2] * r[c] + linear[3] * r[3 + c]);
  }
  return out;
}

std::array<float, 2> Placement::shift(const std::array<float, 2>& s) const {
  return {static_cast<float>(scale * s[0]), static_cast<float>(scale * s[1])};
}

Placement place_on_grid(const optics::OpticsGroup& group, const ImageGrid& grid) {
  Placement p;
  p.pixels =
      std::max(2, 2 * static_cast<int>(std::lround(grid.box * grid.pixel_size / group.pixel_size / 2)));
  p.pixel_size = p.pixels * group.pixel_size / grid.box;
  p.scale = grid.pixel_size / p.pixel_size;
  if (std::abs(p.scale - 1) < kSameScale) p.scale = 1;
  const auto& m = group.magnification;
  p.linear = {p.scale * m[0], p.scale * m[2], p.scale * m[1], p.scale * m[3]};
  return p;
}

Preprocessor::Preprocessor(const ParticleSet& set, ImageGrid grid) : set_(&set), grid_(grid) {
  std::vector<Group> groups;
  for (const auto& g : set.optics_groups) {
    const auto placement = place_on_grid(g, grid);
    groups.push_back(
        {placement, {g, grid.box, placement.pixel_size}, {g, 2 * grid.box, placement.pixel_size}, nullptr});
    if (g.premultiplied)
      groups.back().stored = std::make_unique<optics::CtfEvaluator>(g, g.box, g.pixel_size);
  }
  groups_ = std::make_shared<const std::vector<Group>>(std::move(groups));
}

std::size_t Preprocessor::cached_floats(int box) { return 2 * optics::half_size(box); }

bool Preprocessor::load(io::StackReader& reader, std::size_t i, std::complex<float>* spectrum, float* ctf,
                        float* image, ImageCache* cache) {
  if (cache && cache->unusable(i)) return false;
  const auto& p = set_->particles[i];
  const auto& group = (*groups_)[p.optics_group];
  const std::size_t half = optics::half_size(grid_.box),
                    pixels = static_cast<std::size_t>(grid_.box) * grid_.box;
  // Where the image already lies on the grid its pixels are kept, and otherwise its spectrum: either is what
  // the other follows from.
  const bool whole = group.placement.pixels == grid_.box;
  const auto kept = [&]() -> std::span<float> {
    if (whole) return {image_.data(), pixels};
    return {reinterpret_cast<float*>(spectrum), 2 * half};
  };
  if (whole) image_.resize(pixels);
  if (!cache || !cache->read(i, kept())) {
    if (!reduce(reader, p, spectrum)) {
      if (cache) cache->mark_unusable(i);
      return false;
    }
    if (cache) cache->store(i, kept());
  }
  if (whole) optics::rfft2(grid_.box, image_.data(), spectrum);
  group.ctf.demodulate({spectrum, half});
  if (ctf) group.ctf.evaluate(p.ctf, {ctf, half});
  if (!image) return true;
  if (whole && !group.ctf.has_antisymmetric_aberrations())
    std::copy_n(image_.begin(), pixels, image);
  else
    optics::irfft2(grid_.box, spectrum, image);
  return true;
}

/// Reads and normalises a particle and brings it to the grid: its pixels into image_ where they lie on the
/// grid as they are, and otherwise its cropped transform into `spectrum`.
bool Preprocessor::reduce(io::StackReader& reader, const Particle& p, std::complex<float>* spectrum) {
  const auto& optics_group = set_->optics_groups[p.optics_group];
  const auto& group = (*groups_)[p.optics_group];
  image_.resize(static_cast<std::size_t>(optics_group.box) * optics_group.box);
  reader.read(set_->stacks[p.stack], p.slice, image_);
  if (!normalise(optics_group, p.sign * grid_.sign)) return false;
  if (group.stored) {
    divide_by_ctf(optics_group.box, *group.stored, p.ctf);
    if (!normalise(optics_group, 1)) return false;
  }
  const int pixels = group.placement.pixels;
  if (pixels != optics_group.box) resize(optics_group.box, pixels);
  if (pixels == grid_.box) return true;
  stored_.resize(optics::half_size(pixels));
  optics::rfft2(pixels, image_.data(), stored_.data(), std::min(pixels, grid_.box) / 2);
  optics::fourier_crop(pixels, stored_.data(), grid_.box, spectrum);
  return true;
}

void Preprocessor::wide_ctf(std::size_t i, float* wide, float* ctf) const {
  const auto& p = set_->particles[i];
  const int box = grid_.box, columns = box / 2 + 1;
  (*groups_)[p.optics_group].wide.evaluate(p.ctf, {wide, optics::half_size(2 * box)});
  if (!ctf) return;
  // Every second frequency of the wide grid is one of the grid, to the bit: their steps differ by a power
  // of 2.
  for (int row = 0; row < box; ++row)
    for (int kx = 0; kx < columns; ++kx)
      *ctf++ = wide[static_cast<std::size_t>(2 * row) * (box + 1) + 2 * kx];
}

bool Preprocessor::normalise(const optics::OpticsGroup& group, float sign) {
  const int box = group.box;
  const double radius = std::min(grid_.diameter / group.pixel_size / 2, 0.5 * box - 1);
  Moments background;
  for (int y = 0; y < box; ++y) {
    const double dy = y - 0.5 * box, rest = radius * radius - dy * dy;
    const float* row = image_.data() + static_cast<std::size_t>(y) * box;
    if (rest < 0) {
      background.add(row, box);
      continue;
    }
    // Inside the circle lie the columns between centre ± half.
    const int half = static_cast<int>(std::sqrt(rest)), left = box / 2 - half, right = box / 2 + half + 1;
    background.add(row, left);
    if (right < box) background.add(row + right, box - right);
  }
  const double mean = background.mean(), variance = background.variance();
  if (!std::isfinite(variance) || variance <= kConstant * mean * mean) return false;
  const auto scale = static_cast<float>(sign / std::sqrt(variance)), offset = static_cast<float>(mean);
  // The magnitude's bits, as an integer, exceed those of the largest float only for infinities and NaN; loops
  // over them become vectors.
  std::int32_t largest = 0;
  for (auto& x : image_) {
    x = (x - offset) * scale;
    largest = std::max(largest, std::bit_cast<std::int32_t>(x) & 0x7FFFFFFF);
  }
  return largest < 0x7F800000;
}

void Preprocessor::divide_by_ctf(int box, const optics::CtfEvaluator& evaluator,
                                 const optics::CtfParameters& parameters) {
  stored_.resize(optics::half_size(box));
  stored_ctf_.resize(stored_.size());
  evaluator.evaluate(parameters, stored_ctf_);
  optics::rfft2(box, image_.data(), stored_.data());
  for (std::size_t f = 0; f < stored_.size(); ++f)
    stored_[f] /= std::copysign(std::max(std::abs(stored_ctf_[f]), kSmallestCtf), stored_ctf_[f]);
  optics::irfft2(box, stored_.data(), image_.data());
}

void Preprocessor::resize(int from, int to) {
  resized_.assign(static_cast<std::size_t>(to) * to, 0.0f);
  const int common = std::min(from, to), source = (from - common) / 2, target = (to - common) / 2;
  for (int y = 0; y < common; ++y)
    std::copy_n(image_.data() + static_cast<std::size_t>(y + source) * from + source, common,
                resized_.data() + static_cast<std::size_t>(y + target) * to + target);
  image_.swap(resized_);
}

}  // namespace cryoscape::particles
