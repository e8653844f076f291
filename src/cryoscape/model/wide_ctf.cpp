#include "cryoscape/model/wide_ctf.hpp"

#include <algorithm>

#include "cryoscape/optics/fft.hpp"

namespace cryoscape::model {

WideCtf::WideCtf(int box)
    : box_(box), wide_(4 * static_cast<std::size_t>(box) * box), spectrum_(optics::half_size(2 * box)) {}

void WideCtf::apply(const float* ctf, float* image) {
  const std::size_t box = box_, width = 2 * box, margin = box / 2;
  std::fill(wide_.begin(), wide_.end(), 0.0f);
  for (std::size_t y = 0; y < box; ++y)
    std::copy_n(image + y * box, box, wide_.data() + (y + margin) * width + margin);
  optics::rfft2(2 * box_, wide_.data(), spectrum_.data());
  for (std::size_t f = 0; f < spectrum_.size(); ++f) spectrum_[f] *= ctf[f];
  optics::irfft2(2 * box_, spectrum_.data(), wide_.data());
  for (std::size_t y = 0; y < box; ++y)
    std::copy_n(wide_.data() + (y + margin) * width + margin, box, image + y * box);
}

}  // namespace cryoscape::model
