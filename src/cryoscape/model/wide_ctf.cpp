#include "cryoscape/model/wide_ctf.hpp"

#include "cryoscape/model/spectral_kernel.hpp"
#include "cryoscape/optics/fft.hpp"

namespace cryoscape::model {

WideCtf::WideCtf(int box) : box_(box), spectrum_(optics::half_size(2 * box)) {}

void WideCtf::apply(const float* ctf, float* image) {
  optics::padded_rfft2(box_, image, spectrum_.data());
  multiply(spectrum_.size(), ctf, spectrum_.data());
  optics::padded_irfft2(box_, spectrum_.data(), image);
}

}  // namespace cryoscape::model
