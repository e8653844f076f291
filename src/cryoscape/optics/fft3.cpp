#include "cryoscape/optics/fft3.hpp"

#include "cryoscape/optics/pocketfft.hpp"
#include "cryoscape/util/parallel.hpp"

namespace cryoscape::optics {
namespace {

using Complex = std::complex<float>;

pocketfft::stride_t strides(std::size_t row, std::size_t bytes) {
  return {static_cast<std::ptrdiff_t>(row * bytes), static_cast<std::ptrdiff_t>(bytes)};
}

/// Complex transforms along z of the spectrum of a cube.
void along_z(int box, Complex* spectrum, bool forward) {
  const std::size_t d = box, columns = d / 2 + 1;
  parallel_for(d, [&](std::size_t y) {
    const auto layout = strides(d * columns, sizeof(Complex));
    pocketfft::c2c<float>({d, columns}, layout, layout, {0}, forward, spectrum + y * columns,
                          spectrum + y * columns, 1.0f);
  });
}

}  // namespace

void rfft3(int box, const float* volume, Complex* spectrum) {
  const std::size_t d = box, columns = d / 2 + 1;
  parallel_for(d, [&](std::size_t z) {
    pocketfft::r2c<float>({d, d}, strides(d, sizeof(float)), strides(columns, sizeof(Complex)), {0, 1},
                          pocketfft::FORWARD, volume + z * d * d, spectrum + z * d * columns, 1.0f);
  });
  along_z(box, spectrum, pocketfft::FORWARD);
}

void irfft3(int box, Complex* spectrum, float* volume) {
  const std::size_t d = box, columns = d / 2 + 1;
  along_z(box, spectrum, pocketfft::BACKWARD);
  const auto scale = static_cast<float>(1 / (static_cast<double>(d) * d * d));
  parallel_for(d, [&](std::size_t z) {
    pocketfft::c2r<float>({d, d}, strides(columns, sizeof(Complex)), strides(d, sizeof(float)), {0, 1},
                          pocketfft::BACKWARD, spectrum + z * d * columns, volume + z * d * d, scale);
  });
}

void inverse_plane(int side, Complex* plane) {
  const std::size_t n = side;
  const auto layout = strides(n, sizeof(Complex));
  pocketfft::c2c<float>({n, n}, layout, layout, {0, 1}, pocketfft::BACKWARD, plane, plane, 1.0f);
}

void inverse_columns(int side, int count, const Complex* spectrum, float* values) {
  const std::size_t n = side, width = count;
  pocketfft::c2r<float>({n, width}, strides(width, sizeof(Complex)), strides(width, sizeof(float)), 0,
                        pocketfft::BACKWARD, spectrum, values, 1.0f);
}

}  // namespace cryoscape::optics
