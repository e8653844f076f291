#include "cryoscape/optics/fft.hpp"

#include <algorithm>

#include "cryoscape/optics/pocketfft.hpp"

namespace cryoscape::optics {
namespace {

using Complex = std::complex<float>;

pocketfft::stride_t real_strides(std::size_t d) {
  return {static_cast<std::ptrdiff_t>(d * sizeof(float)), static_cast<std::ptrdiff_t>(sizeof(float))};
}
pocketfft::stride_t complex_strides(std::size_t columns) {
  return {static_cast<std::ptrdiff_t>(columns * sizeof(Complex)),
          static_cast<std::ptrdiff_t>(sizeof(Complex))};
}

}  // namespace

void rfft2(int box, const float* image, Complex* spectrum) {
  const std::size_t d = box, columns = d / 2 + 1;
  pocketfft::r2c<float>({d, d}, real_strides(d), complex_strides(columns), {0, 1}, pocketfft::FORWARD, image,
                        spectrum, 1.0f);
}

void rfft2(int box, const float* image, Complex* spectrum, int columns) {
  const std::size_t d = box, all = d / 2 + 1, kept = std::min<std::size_t>(columns, all);
  pocketfft::r2c<float>({d, d}, real_strides(d), complex_strides(all), 1, pocketfft::FORWARD, image, spectrum,
                        1.0f);
  pocketfft::c2c<float>({d, kept}, complex_strides(all), complex_strides(all), {0}, pocketfft::FORWARD,
                        spectrum, spectrum, 1.0f);
}

void irfft2(int box, const Complex* spectrum, float* image) {
  const std::size_t d = box, columns = d / 2 + 1;
  pocketfft::c2r<float>({d, d}, complex_strides(columns), real_strides(d), {0, 1}, pocketfft::BACKWARD,
                        spectrum, image, 1.0f / (static_cast<float>(d) * static_cast<float>(d)));
}

void padded_rfft2(int box, const float* image, Complex* spectrum) {
  const std::size_t d = box, width = 2 * d, columns = d + 1;
  thread_local std::vector<float> rows;
  rows.assign(d * width, 0.0f);
  for (std::size_t y = 0; y < d; ++y) std::copy_n(image + y * d, d, rows.data() + y * width);
  pocketfft::r2c<float>({d, width}, real_strides(width), complex_strides(columns), 1, pocketfft::FORWARD,
                        rows.data(), spectrum, 1.0f);
  std::fill(spectrum + d * columns, spectrum + width * columns, Complex(0));
  pocketfft::c2c<float>({width, columns}, complex_strides(columns), complex_strides(columns), {0},
                        pocketfft::FORWARD, spectrum, spectrum, 1.0f);
}

void padded_irfft2(int box, Complex* spectrum, float* image) {
  const std::size_t d = box, width = 2 * d, columns = d + 1;
  pocketfft::c2c<float>({width, columns}, complex_strides(columns), complex_strides(columns), {0},
                        pocketfft::BACKWARD, spectrum, spectrum,
                        1.0f / (static_cast<float>(width) * static_cast<float>(width)));
  thread_local std::vector<float> rows;
  rows.resize(d * width);
  pocketfft::c2r<float>({d, width}, complex_strides(columns), real_strides(width), 1, pocketfft::BACKWARD,
                        spectrum, rows.data(), 1.0f);
  for (std::size_t y = 0; y < d; ++y) std::copy_n(rows.data() + y * width, d, image + y * d);
}

void fourier_crop(int from, const Complex* spectrum, int to, Complex* out) {
  const int columns_from = from / 2 + 1, columns_to = to / 2 + 1;
  if (from == to) {
    std::copy(spectrum, spectrum + half_size(from), out);
    return;
  }
  std::fill(out, out + half_size(to), Complex(0));
  const float scale = static_cast<float>(to) / static_cast<float>(from);
  const int limit = std::min(from, to) / 2;
  for (int ky = -limit + 1; ky < limit; ++ky) {
    const Complex* source = spectrum + static_cast<std::size_t>(ky < 0 ? ky + from : ky) * columns_from;
    Complex* target = out + static_cast<std::size_t>(ky < 0 ? ky + to : ky) * columns_to;
    for (int kx = 0; kx < limit; ++kx) target[kx] = scale * source[kx];
  }
}

void apply_filter(int box, float* image, const float* filter) {
  std::vector<Complex> spectrum(half_size(box));
  rfft2(box, image, spectrum.data());
  for (std::size_t f = 0; f < spectrum.size(); ++f) spectrum[f] *= filter[f];
  irfft2(box, spectrum.data(), image);
}

int good_fft_size(int minimum) {
  for (int n = std::max(2, minimum + minimum % 2);; n += 2) {
    int rest = n;
    for (int p : {2, 3, 5, 7})
      while (rest % p == 0) rest /= p;
    if (rest == 1) return n;
  }
}

}  // namespace cryoscape::optics
