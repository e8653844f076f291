#include "relion.hpp"

// Without vectors: pocketfft asks aligned_alloc for sizes that AddressSanitizer refuses.
#define POCKETFFT_NO_MULTITHREADING
#define POCKETFFT_NO_VECTORS
#include <gemmi/third_party/pocketfft_hdronly.h>
#include <algorithm>
#include <cmath>
#include <complex>
#include <cstdlib>
#include <fstream>
#include <numbers>
#include <sstream>

#include "cryoscape/io/atomic_model.hpp"
#include "cryoscape/simulation/demo_protein.hpp"
#include "cryoscape/util/random.hpp"

namespace cryoscape::interop {

Folder::Folder() {
  const auto* test = testing::UnitTest::GetInstance()->current_test_info();
  path_ = std::filesystem::path(testing::TempDir()) / "cryoscape_interop" /
          (std::string(test->test_suite_name()) + "_" + test->name());
  std::filesystem::remove_all(path_);
  std::filesystem::create_directories(path_);
}

Folder::~Folder() {
  if (!testing::Test::HasFailure()) std::filesystem::remove_all(path_);
}

testing::AssertionResult Folder::run(const std::string& command) const {
  const auto log = path_ / "command.log";
  const int status =
      std::system(("cd '" + path_.string() + "' && " + command + " > '" + log.string() + "' 2>&1").c_str());
  if (status == 0) return testing::AssertionSuccess();
  std::ostringstream text;
  text << std::ifstream(log).rdbuf();
  return testing::AssertionFailure() << command << "\n" << text.str();
}

bool installed(const std::string& program) {
  return std::system(("command -v " + program + " > /dev/null 2>&1").c_str()) == 0;
}

double correlation(std::span<const float> a, std::span<const float> b) {
  const auto n = static_cast<double>(a.size());
  double sum_a = 0, sum_b = 0, aa = 0, bb = 0, ab = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    const double x = a[i], y = b[i];
    sum_a += x, sum_b += y, aa += x * x, bb += y * y, ab += x * y;
  }
  return (ab - sum_a * sum_b / n) / std::sqrt((aa - sum_a * sum_a / n) * (bb - sum_b * sum_b / n));
}

Beads asymmetric_beads(std::size_t count, double radius, std::uint64_t seed) {
  Philox random(seed);
  Beads beads;
  while (beads.amplitudes.size() < count) {
    double x[3], square = 0;
    for (double& v : x) v = 2 * random.uniform() - 1, square += v * v;
    if (square > 1) continue;
    // An ellipsoid with one octant left out, so that neither a rotation nor the mirror image fits it.
    if (x[0] > 0 && x[1] > 0 && x[2] > 0) continue;
    const double axes[3] = {1, 0.7, 0.5};
    for (int k = 0; k < 3; ++k) beads.coordinates.push_back(static_cast<float>(radius * axes[k] * x[k]));
    beads.amplitudes.push_back(static_cast<float>(30 + 60 * random.uniform()));
  }
  return beads;
}

io::Volume density(const Beads& beads, int box, double pixel_size, double sigma) {
  io::Volume map;
  map.nx = map.ny = map.nz = box;
  map.pixel_size = pixel_size;
  map.data.assign(static_cast<std::size_t>(box) * box * box, 0.0f);
  const double norm = std::pow(pixel_size / (sigma * std::sqrt(2 * std::numbers::pi)), 3);
  std::vector<double> axis[3];
  for (std::size_t n = 0; n < beads.amplitudes.size(); ++n) {
    for (int k = 0; k < 3; ++k) {
      axis[k].resize(box);
      for (int i = 0; i < box; ++i)
        axis[k][i] =
            std::exp(-0.5 * std::pow(((i - box / 2) * pixel_size - beads.coordinates[3 * n + k]) / sigma, 2));
    }
    float* voxel = map.data.data();
    for (int z = 0; z < box; ++z)
      for (int y = 0; y < box; ++y)
        for (int x = 0; x < box; ++x, ++voxel)
          *voxel += static_cast<float>(norm * beads.amplitudes[n] * axis[2][z] * axis[1][y] * axis[0][x]);
  }
  return map;
}

void write_first_demo_model(const std::filesystem::path& path) {
  const auto model = simulation::make_demo_protein().path.front();
  io::write_models(path, {&model, {io::positions_of(model)}, {}});
}

namespace {

using Complex = std::complex<float>;

/// Full complex transform of a cube.
std::vector<Complex> transform(const io::Volume& map) {
  const auto d = static_cast<std::size_t>(map.nx);
  std::vector<Complex> values(map.data.begin(), map.data.end());
  const auto bytes = static_cast<std::ptrdiff_t>(sizeof(Complex)), side = static_cast<std::ptrdiff_t>(d);
  const pocketfft::stride_t strides{side * side * bytes, side * bytes, bytes};
  pocketfft::c2c<float>({d, d, d}, strides, strides, {0, 1, 2}, pocketfft::FORWARD, values.data(),
                        values.data(), 1.0f);
  return values;
}

}  // namespace

std::vector<double> shell_correlation(const io::Volume& a, const io::Volume& b) {
  const int d = a.nx, shells = d / 2 + 1;
  const auto x = transform(a), y = transform(b);
  std::vector<double> cross(shells), power_x(shells), power_y(shells);
  const auto frequency = [&](int i) { return i < d / 2 ? i : i - d; };
  std::size_t at = 0;
  for (int k = 0; k < d; ++k)
    for (int j = 0; j < d; ++j)
      for (int i = 0; i < d; ++i, ++at) {
        const double radius = std::hypot(frequency(i), frequency(j), frequency(k));
        const auto shell = static_cast<int>(std::lround(radius));
        if (shell >= shells) continue;
        cross[shell] += std::real(x[at] * std::conj(y[at]));
        power_x[shell] += std::norm(x[at]);
        power_y[shell] += std::norm(y[at]);
      }
  for (int s = 0; s < shells; ++s) cross[s] /= std::sqrt(power_x[s] * power_y[s]);
  return cross;
}

}  // namespace cryoscape::interop
