#include "cryoscape/particles/preprocessing.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "cryoscape/optics/fft.hpp"
#include "cryoscape/optics/spectrum.hpp"
#include "cryoscape/particles/test_stacks.hpp"

using namespace cryoscape;
using namespace cryoscape::particles;
using Complex = std::complex<float>;

namespace {

struct Loaded {
  bool usable = false;
  std::vector<Complex> spectrum;
  std::vector<float> ctf, image;
};

Loaded load(const ParticleSet& set, const ImageGrid& grid, std::size_t i = 0) {
  Loaded out;
  out.spectrum.resize(optics::half_size(grid.box));
  out.ctf.resize(out.spectrum.size());
  out.image.resize(static_cast<std::size_t>(grid.box) * grid.box);
  io::StackReader reader;
  Preprocessor preprocessor(set, grid);
  out.usable = preprocessor.load(reader, i, out.spectrum.data(), out.ctf.data(), out.image.data());
  return out;
}

/// Mean and variance of the pixels outside the grid's circle.
std::pair<double, double> background(const std::vector<float>& image, const ImageGrid& grid) {
  double sum = 0, square = 0, n = 0;
  for (int y = 0; y < grid.box; ++y)
    for (int x = 0; x < grid.box; ++x) {
      const double r = std::hypot(x - grid.box / 2, y - grid.box / 2) * grid.pixel_size;
      if (r <= grid.diameter / 2) continue;
      const double v = image[static_cast<std::size_t>(y) * grid.box + x];
      sum += v, square += v * v, n += 1;
    }
  return {sum / n, square / n - sum / n * sum / n};
}

/// Σ A G(p − c) of Gaussian blobs at points c (Å), on `box` pixels of `pixel_size`.
std::vector<float> blobs(int box, double pixel_size, const std::vector<std::array<double, 2>>& centres,
                         double sigma) {
  std::vector<float> image(static_cast<std::size_t>(box) * box);
  for (int y = 0; y < box; ++y)
    for (int x = 0; x < box; ++x)
      for (const auto& c : centres) {
        const double dx = (x - box / 2) * pixel_size - c[0], dy = (y - box / 2) * pixel_size - c[1];
        image[static_cast<std::size_t>(y) * box + x] +=
            static_cast<float>(100 * std::exp(-(dx * dx + dy * dy) / (2 * sigma * sigma)));
      }
  return image;
}

double correlation(const std::vector<float>& a, const std::vector<float>& b) {
  double ma = 0, mb = 0, ab = 0, aa = 0, bb = 0;
  for (std::size_t i = 0; i < a.size(); ++i) ma += a[i] / a.size(), mb += b[i] / b.size();
  for (std::size_t i = 0; i < a.size(); ++i)
    ab += (a[i] - ma) * (b[i] - mb), aa += (a[i] - ma) * (a[i] - ma), bb += (b[i] - mb) * (b[i] - mb);
  return ab / std::sqrt(aa * bb);
}

}  // namespace

TEST(Preprocessor, BackgroundHasMeanZeroAndDeviationOneAndTheParticleKeepsItsContrast) {
  const int d = 64;
  const ImageGrid grid{d, 1.5, 60, 1};
  auto image = white_noise(d, 1, 120, 4);
  image[d / 2 * d + d / 2] = 220;  // inside the circle: does not count
  const auto set = set_of(test_folder(), "p.mrcs", d, 1.5, {image});
  const auto x = load(set, grid);
  ASSERT_TRUE(x.usable);
  const auto [mean, variance] = background(x.image, grid);
  EXPECT_NEAR(mean, 0, 1e-5);
  EXPECT_NEAR(variance, 1, 1e-4);
  EXPECT_NEAR(x.image[d / 2 * d + d / 2], 25, 1);
}

TEST(Preprocessor, ImageAndSpectrumAreTransformsOfEachOther) {
  for (const int box : {64, 48}) {
    const ImageGrid grid{box, 64 * 1.5 / box, 60, 1};
    const auto set = set_of(test_folder(), "p.mrcs", 64, 1.5, {white_noise(64, 2)});
    const auto x = load(set, grid);
    std::vector<Complex> spectrum(optics::half_size(box));
    optics::rfft2(box, x.image.data(), spectrum.data());
    for (std::size_t f = 0; f < spectrum.size(); ++f)
      EXPECT_NEAR(std::abs(spectrum[f] - x.spectrum[f]), 0, 1e-3);
  }
}

TEST(Preprocessor, SignsOfParticleAndGridInvertTheImage) {
  auto set = set_of(test_folder(), "p.mrcs", 32, 2, {white_noise(32, 3)});
  const auto plain = load(set, {32, 2, 40, 1}), inverted = load(set, {32, 2, 40, -1});
  set.particles[0].sign = -1;
  const auto twice = load(set, {32, 2, 40, -1});
  for (std::size_t i = 0; i < plain.image.size(); ++i) {
    EXPECT_FLOAT_EQ(inverted.image[i], -plain.image[i]);
    EXPECT_FLOAT_EQ(twice.image[i], plain.image[i]);
  }
}

TEST(Preprocessor, FourierCropKeepsWhiteNoiseWhiteWithUnitVariance) {
  const int from = 96, to = 48, count = 40;
  const ImageGrid grid{to, 2, 60, 1};
  std::vector<std::vector<float>> images;
  for (int i = 0; i < count; ++i) images.push_back(white_noise(from, 10 + i, -3, 0.2));
  const auto set = set_of(test_folder(), "p.mrcs", from, 1, images);
  std::vector<double> power(optics::shell_count(to));
  for (int i = 0; i < count; ++i) {
    const auto x = load(set, grid, i);
    const auto shells = optics::radial_power(to, x.spectrum);
    for (std::size_t s = 0; s < power.size(); ++s) power[s] += shells[s] / count / (to * to);
  }
  // 40 images of 2πs coefficients each: ± 5 standard deviations.
  for (int s = 4; s < to / 2; ++s) EXPECT_NEAR(power[s], 1, 5 / std::sqrt(count * std::numbers::pi * s)) << s;
}

TEST(Preprocessor, CropKeepsObjectsInPlaceAndTheCtfIsThatOfTheGrid) {
  const std::vector<std::array<double, 2>> centres{{0, 0}, {20, -10}, {-15, 25}};
  const auto folder = test_folder();
  const ImageGrid grid{48, 2, 90, 1};
  auto noise = white_noise(96, 4, 0, 1e-3);
  const auto fine = blobs(96, 1, centres, 5);
  for (std::size_t i = 0; i < noise.size(); ++i) noise[i] += fine[i];
  const auto set = set_of(folder, "p.mrcs", 96, 1, {noise});
  const auto x = load(set, grid);
  EXPECT_GT(correlation(x.image, blobs(48, 2, centres, 5)), 0.99999);
  std::vector<float> ctf(optics::half_size(48));
  optics::evaluate_ctf(set.optics_groups[0], set.particles[0].ctf, 48, 2, ctf);
  EXPECT_EQ(x.ctf, ctf);
}

TEST(Preprocessor, GroupsOfAnotherPixelSizeShowTheSameObjectWhereTheirPlacementSays) {
  const std::vector<std::array<double, 2>> centres{{0, 0}, {30, -12}, {-18, 27}};
  const auto folder = test_folder();
  const ImageGrid grid{64, 1.5, 90, 1};
  // 96 Å of 1.07 Å pixels are 89.7 pixels: 90 fit. 80 pixels are too few and are padded; 110 are too many and
  // are cut.
  for (const int box : {80, 90, 110}) {
    auto image = blobs(box, 1.07, centres, 4);
    const auto noise = white_noise(box, 5, 0, 1e-3);
    for (std::size_t i = 0; i < noise.size(); ++i) image[i] += noise[i];
    const auto set = set_of(folder, "p.mrcs", box, 1.07, {image});
    const auto x = load(set, grid);
    const auto placement = place_on_grid(set.optics_groups[0], grid);
    EXPECT_EQ(placement.pixels, 90);
    EXPECT_DOUBLE_EQ(placement.pixel_size, 90 * 1.07 / 64);
    EXPECT_DOUBLE_EQ(placement.scale, 96 / (90 * 1.07));
    // Points move by `linear`; a crop of that size apart, pictures agree.
    auto moved = centres;
    for (auto& c : moved)
      c = {placement.linear[0] * c[0] + placement.linear[1] * c[1],
           placement.linear[2] * c[0] + placement.linear[3] * c[1]};
    EXPECT_GT(correlation(x.image, blobs(64, 1.5, moved, 4 * placement.scale)), 0.99999) << box;
    EXPECT_LT(correlation(x.image, blobs(64, 1.5, centres, 4)), 0.99995) << box;
    std::vector<float> ctf(optics::half_size(64));
    optics::evaluate_ctf(set.optics_groups[0], set.particles[0].ctf, 64, placement.pixel_size, ctf);
    EXPECT_EQ(x.ctf, ctf);
  }
}

TEST(Placement, FollowsTheMagnificationMatrixOfFourierSpace) {
  optics::OpticsGroup group;
  group.box = 64, group.pixel_size = 1.5;
  group.magnification = {1.03, 0.02, -0.01, 0.97};
  const auto placement = place_on_grid(group, {64, 1.5, 80, 1});
  EXPECT_EQ(placement.scale, 1);
  // I(k) = P(M k): the plane wave of a point at p, exp(−2πi M k·p), is that of a point at linear · p for
  // every k.
  const double p[2] = {21, -8};
  const auto& l = placement.linear;
  const double q[2] = {l[0] * p[0] + l[1] * p[1], l[2] * p[0] + l[3] * p[1]};
  for (const auto& k : {std::array<double, 2>{0.1, 0}, {0, 0.1}, {0.05, -0.2}}) {
    const double x = 1.03 * k[0] + 0.02 * k[1], y = -0.01 * k[0] + 0.97 * k[1];
    EXPECT_NEAR(x * p[0] + y * p[1], k[0] * q[0] + k[1] * q[1], 1e-12);
  }
  // The pose does the same to beads; its third row and the shift are left alone.
  const std::array<float, 9> rotation{0, -1, 0, 1, 0, 0, 0, 0, 1};
  const auto r = placement.rotation(rotation);
  EXPECT_NEAR(r[1] * 8 + r[0] * 21, l[0] * -8 + l[1] * 21, 1e-5);
  EXPECT_EQ(r[8], 1);
  EXPECT_EQ(placement.shift({3, -4}), (std::array<float, 2>{3, -4}));
}

TEST(Placement, SamePixelSizeLeavesPosesExactlyAsTheyAre) {
  optics::OpticsGroup group;
  group.box = 200, group.pixel_size = 1.06;
  const auto placement = place_on_grid(group, {128, 200 * 1.06 / 128, 150, 1});
  const std::array<float, 9> rotation{0.36f, 0.48f, -0.8f, -0.8f, 0.6f, 0, 0.48f, 0.64f, 0.6f};
  EXPECT_EQ(placement.rotation(rotation), rotation);
  EXPECT_EQ(placement.pixels, 200);
}

TEST(Preprocessor, PremultipliedImagesBecomeOrdinaryOnes) {
  const int d = 64;
  const auto folder = test_folder();
  const ImageGrid grid{48, 2, 80, 1};
  const auto image = white_noise(d, 6, 0, 1);
  auto plain = set_of(folder, "plain.mrcs", d, 1.5, {image});
  std::vector<float> ctf(optics::half_size(d));
  optics::evaluate_ctf(plain.optics_groups[0], plain.particles[0].ctf, d, 1.5, ctf);
  auto multiplied = image;
  optics::apply_filter(d, multiplied.data(), ctf.data());
  auto premultiplied = set_of(folder, "multiplied.mrcs", d, 1.5, {multiplied});
  premultiplied.optics_groups[0].premultiplied = true;
  const auto a = load(plain, grid), b = load(premultiplied, grid);
  ASSERT_TRUE(b.usable);
  EXPECT_EQ(a.ctf, b.ctf);
  // Equal but for the background's estimate, which feels the coefficients near zeros of the CTF, and for
  // those themselves.
  double difference = 0, total = 0;
  for (std::size_t f = 1; f < a.spectrum.size(); ++f) {
    if (std::abs(a.ctf[f]) < 0.011) continue;
    difference += std::norm(a.spectrum[f] - b.spectrum[f]), total += std::norm(a.spectrum[f]);
  }
  EXPECT_LT(difference / total, 1e-3);
}

TEST(Preprocessor, OddAberrationsAreTakenOffTheImage) {
  const int d = 32;
  const auto folder = test_folder();
  const ImageGrid grid{d, 2, 40, 1};
  auto set = set_of(folder, "p.mrcs", d, 2, {white_noise(d, 7)});
  const auto plain = load(set, grid);
  set.optics_groups[0].odd_zernike = {0, 40};  // 40·x in 1/Å: a shift of 40/2π Å
  const auto corrected = load(set, grid);
  for (int row = 0; row < d; ++row)
    for (int kx = 0; kx < d / 2; ++kx) {
      const auto f = static_cast<std::size_t>(row) * (d / 2 + 1) + kx;
      const auto expected = plain.spectrum[f] * std::polar(1.0f, -40.0f * static_cast<float>(kx) / (d * 2));
      EXPECT_NEAR(std::abs(corrected.spectrum[f] - expected), 0, 2e-3);
    }
  std::vector<Complex> spectrum(optics::half_size(d));
  optics::rfft2(d, corrected.image.data(), spectrum.data());
  EXPECT_NEAR(std::abs(spectrum[5] - corrected.spectrum[5]), 0, 1e-3);
}

TEST(Preprocessor, ConstantAndNonFiniteImagesAreRefused) {
  const int d = 32;
  const ImageGrid grid{d, 1, 20, 1};
  const auto good = white_noise(d, 8);
  auto nan_inside = good, nan_outside = good, infinite = good, constant_background = good;
  nan_inside[d / 2 * d + d / 2] = std::numeric_limits<float>::quiet_NaN();
  nan_outside[3] = std::numeric_limits<float>::quiet_NaN();
  infinite[d / 2 * d + d / 2 + 1] = std::numeric_limits<float>::infinity();
  for (int y = 0; y < d; ++y)
    for (int x = 0; x < d; ++x)
      if (std::hypot(x - d / 2, y - d / 2) > 9) constant_background[static_cast<std::size_t>(y) * d + x] = 7;
  const std::vector<float> zero(d * d), constant(d * d, 1234.567f);
  auto set = set_of(test_folder(), "p.mrcs", d, 1,
                    {good, nan_inside, nan_outside, infinite, constant_background, zero, constant});
  EXPECT_TRUE(load(set, grid, 0).usable);
  for (std::size_t i = 1; i < set.size(); ++i) EXPECT_FALSE(load(set, grid, i).usable) << i;
  set.optics_groups[0].premultiplied = true;
  EXPECT_TRUE(load(set, grid, 0).usable);
  for (std::size_t i = 1; i < set.size(); ++i) EXPECT_FALSE(load(set, grid, i).usable) << i;
}

TEST(Preprocessor, FaintImagesOnAnyOffsetAreUsable) {
  const int d = 32;
  const ImageGrid grid{d, 1, 20, 1};
  const auto set =
      set_of(test_folder(), "p.mrcs", d, 1, {white_noise(d, 9, 0, 1e-9), white_noise(d, 9, 30000, 5)});
  const auto faint = load(set, grid, 0), offset = load(set, grid, 1);
  ASSERT_TRUE(faint.usable);
  ASSERT_TRUE(offset.usable);
  for (std::size_t i = 0; i < faint.image.size(); ++i) EXPECT_NEAR(faint.image[i], offset.image[i], 2e-3);
}

TEST(Preprocessor, RealParticlesComeOutNormalised) {
  const auto stack = sample("relion31.mrcs");
  if (!stack) GTEST_SKIP() << "shared/data is not here (set CRYOSCAPE_TEST_DATA)";
  const auto header = io::read_mrc_header(*stack);
  ParticleSet set;
  set.stacks = {*stack};
  set.stack_names = {"relion31.mrcs"};
  optics::OpticsGroup group;
  group.box = header.nx, group.pixel_size = 1;
  set.optics_groups = {group};
  for (int i = 0; i < header.nz; ++i) {
    Particle p;
    p.slice = static_cast<std::uint32_t>(i);
    set.particles.push_back(p);
    set.rows.push_back(static_cast<std::uint32_t>(i));
  }
  const ImageGrid grid{header.nx, 1, 0.7 * header.nx, 1};
  for (std::size_t i = 0; i < set.size(); ++i) {
    const auto x = load(set, grid, i);
    ASSERT_TRUE(x.usable);
    const auto [mean, variance] = background(x.image, grid);
    EXPECT_NEAR(mean, 0, 1e-4);
    EXPECT_NEAR(variance, 1, 1e-3);
  }
}

TEST(Preprocessor, WideCtfHoldsTheCtfAtEverySecondCoefficient) {
  const int d = 16;
  const ImageGrid grid{d, 1.5, 18, 1};
  const auto folder = std::filesystem::temp_directory_path() / "cryoscape_preprocessing_wide";
  auto set = set_of(folder, "stack.mrcs", d, 1.5, {white_noise(d, 1)});
  set.particles[0].ctf.defocus_v = 8000, set.particles[0].ctf.defocus_angle = 0.7f;
  set.optics_groups[0].magnification = {1.02, 0.01, -0.003, 0.99};
  set.optics_groups[0].even_zernike = {0, 0, 0, 0, 0.3, 0.1};
  const auto narrow = load(set, grid).ctf;
  std::vector<float> wide(optics::half_size(2 * d)), again(narrow.size());
  Preprocessor(set, grid).wide_ctf(0, wide.data(), again.data());
  EXPECT_EQ(again, narrow);
  for (int ky = -d / 2; ky < d / 2; ++ky)
    for (int kx = 0; kx <= d / 2; ++kx) {
      const int row = (ky + d) % d, wide_row = (2 * ky + 2 * d) % (2 * d);
      EXPECT_EQ(narrow[row * (d / 2 + 1) + kx], wide[wide_row * (d + 1) + 2 * kx]);
    }
  std::filesystem::remove_all(folder);
}
