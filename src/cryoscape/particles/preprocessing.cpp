#include "cryoscape/particles/preprocessing.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/fft.hpp"

namespace cryoscape::particles {
namespace {

constexpr float kSmallestCtf = 0.05f;

/// Undoes a multiplication by the CTF.
void divide_by_ctf(std::complex<float>* spectrum, float* ctf, std::size_t count) {
  for (std::size_t f = 0; f < count; ++f) {
    if (std::abs(ctf[f]) < kSmallestCtf) ctf[f] = 0;
    spectrum[f] = ctf[f] == 0 ? std::complex<float>(0) : spectrum[f] / ctf[f];
  }
}

}  // namespace

Preprocessor::Preprocessor(const ParticleSet& set, ImageGrid grid) : set_(set), grid_(grid) {}

bool Preprocessor::load(io::StackReader& reader, std::size_t i, std::complex<float>* spectrum, float* ctf) {
  const auto& p = set_.particles[i];
  const auto& group = set_.optics_groups[p.optics_group];
  image_.resize(static_cast<std::size_t>(group.box) * group.box);
  reader.read(set_.stacks[p.stack], p.slice, image_);
  if (!normalise(group.box, group.pixel_size, p.sign * grid_.sign)) return false;
  const double extent = grid_.box * grid_.pixel_size;
  const int pixels = std::max(2, 2 * static_cast<int>(std::lround(extent / group.pixel_size / 2)));
  if (pixels != group.box) resize(group.box, pixels);
  full_.resize(optics::half_size(pixels));
  optics::rfft2(pixels, image_.data(), full_.data());
  optics::fourier_crop(pixels, full_.data(), grid_.box, spectrum);
  const std::size_t count = optics::half_size(grid_.box);
  optics::evaluate_ctf(group, p.ctf, grid_.box, pixels * group.pixel_size / grid_.box, {ctf, count});
  if (group.premultiplied) divide_by_ctf(spectrum, ctf, count);
  return true;
}

bool Preprocessor::normalise(int box, double pixel_size, float sign) {
  const double radius = std::min(grid_.diameter / pixel_size / 2, 0.5 * box - 1);
  double sum = 0, square = 0, count = 0;
  for (int y = 0; y < box; ++y) {
    const double dy = y - 0.5 * box, rest = radius * radius - dy * dy;
    // Inside the circle lie the columns between centre ± half.
    const int half = rest > 0 ? static_cast<int>(std::sqrt(rest)) : -1;
    const int left = half < 0 ? box : std::max(0, box / 2 - half), right = half < 0 ? box : std::min(box, box / 2 + half + 1);
    const float* row = image_.data() + static_cast<std::size_t>(y) * box;
    for (int x = 0; x < left; ++x) sum += row[x], square += static_cast<double>(row[x]) * row[x];
    for (int x = right; x < box; ++x) sum += row[x], square += static_cast<double>(row[x]) * row[x];
    count += left + std::max(0, box - right);
  }
  const double mean = sum / count, variance = square / count - mean * mean;
  if (!std::isfinite(variance) || variance <= 1e-12 * (1 + mean * mean)) return false;
  const auto scale = static_cast<float>(sign / std::sqrt(variance)), offset = static_cast<float>(mean);
  bool finite = true;
  for (auto& x : image_) {
    x = (x - offset) * scale;
    finite &= std::isfinite(x);
  }
  return finite;
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
