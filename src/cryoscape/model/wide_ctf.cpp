#include "cryoscape/model/wide_ctf.hpp"

#include "cryoscape/optics/fft.hpp"

namespace cryoscape::model {

WideCtf::WideCtf(int box) : box_(box), spectrum_(optics::half_size(2 * box)) {}

void WideCtf::apply(const float* ctf, float* image) {
  optics::padded_rfft2(box_, image, spectrum_.data());
  for (std::size_t f = 0; f < spectrum_.size(); ++f) spectrum_[f] *= ctf[f];
  optics::padded_irfft2(box_, spectrum_.data(), image);
}

}  // namespace cryoscape::model
