#include "cryoscape/density/radial_filter.hpp"

#include <algorithm>
#include <cmath>

#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::density {

void scale_spectrum(int box, const std::function<double(double shell)>& gain,
                    std::span<std::complex<float>> spectrum) {
  const std::size_t columns = box / 2 + 1;
  parallel_for(static_cast<std::size_t>(box), [&](std::size_t z) {
    const double kz = optics::row_frequency(static_cast<int>(z), box);
    for (int y = 0; y < box; ++y)
      for (std::size_t x = 0; x < columns; ++x)
        spectrum[(z * box + y) * columns + x] *=
            static_cast<float>(gain(std::hypot(static_cast<double>(x), optics::row_frequency(y, box), kz)));
  });
}

void apply_radial(int box, const std::function<double(double shell)>& gain, std::vector<float>& map) {
  std::vector<std::complex<float>> spectrum(optics::half_size3(box));
  optics::rfft3(box, map.data(), spectrum.data());
  scale_spectrum(box, gain, spectrum);
  optics::irfft3(box, spectrum.data(), map.data());
}

void scale_shells(int box, std::span<const double> gains, std::vector<float>& map) {
  apply_radial(
      box,
      [&](double radius) {
        return gains[std::min(gains.size() - 1, static_cast<std::size_t>(radius + 0.5))];
      },
      map);
}

}  // namespace cryoscape::density
