#include "cryoscape/density/neural_density.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "cryoscape/density/fsc.hpp"
#include "cryoscape/density/test_particles.hpp"
#include "cryoscape/model/matrix_product.hpp"
#include "cryoscape/optics/fft3.hpp"
#include "cryoscape/util/parallel.hpp"

using namespace cryoscape;
using namespace cryoscape::density;

namespace {

constexpr int kBox = 16;
const particles::ImageGrid kGrid{kBox, 2, 0.8 * kBox * 2, 1};
const std::vector<std::vector<double>> kWhite{std::vector<double>(kBox / 2 + 1, kBox* kBox)};

NeuralOptions small_options() {
  NeuralOptions options;
  options.features = 48, options.hidden = 48, options.layers = 2;
  options.frequencies = 64, options.batch = 8;
  options.epochs = 8;
  return options;
}

/// Particles, their latents, and what they are drawn from.
struct Scene {
  particles::ParticleSet set;
  io::FloatMatrix latents;
  std::vector<Gaussians> truths;
  io::StackReader reader;

  std::vector<std::uint32_t> members(int half = 0) const {
    std::vector<std::uint32_t> out;
    for (std::uint32_t i = 0; i < set.size(); ++i)
      if (half == 0 || set.particles[i].half == half) out.push_back(i);
    return out;
  }
  void train(NeuralDensity& density, std::span<const std::uint32_t> members,
             const std::function<void()>& after_epoch = {}) {
    density.train({set, reader, kWhite, latents, members}, after_epoch);
  }
};

/// As many particles of each of some densities, whose latents are 5, 6, …
void fill(Scene& scene, std::vector<Gaussians> truths, int count, double noise, std::uint64_t seed = 10) {
  scene.truths = std::move(truths);
  const auto folder = particles::test_folder();
  for (std::size_t t = 0; t < scene.truths.size(); ++t) {
    const auto part = folder / std::to_string(t);
    std::filesystem::create_directories(part);
    auto set = simulated_set(part, scene.truths[t], kBox, count, noise, seed + t);
    for (auto& p : set.particles) p.stack = static_cast<decltype(p.stack)>(t);
    if (t == 0) {
      scene.set = std::move(set);
    } else {
      scene.set.stacks.push_back(set.stacks[0]);
      scene.set.stack_names.push_back(set.stack_names[0]);
      scene.set.particles.insert(scene.set.particles.end(), set.particles.begin(), set.particles.end());
      scene.set.rows.insert(scene.set.rows.end(), set.rows.begin(), set.rows.end());
    }
    scene.latents.values.insert(scene.latents.values.end(), count, 5 + static_cast<float>(t));
  }
  scene.latents.rows = scene.latents.values.size(), scene.latents.columns = 1;
}

/// A part that stays and one that moves by 4 voxels.
std::vector<Gaussians> two_conformations() {
  auto a = random_gaussians(8, 3, 2);
  a.sigma = 1.2;
  auto b = a;
  for (std::size_t n = 0; n < 4; ++n) a.centres[n][0] -= 2, b.centres[n][0] += 2;
  return {a, b};
}

std::vector<float> difference(std::vector<float> a, const std::vector<float>& b) {
  for (std::size_t i = 0; i < a.size(); ++i) a[i] -= b[i];
  return a;
}

/// On one thread: steps of these sizes are one part.
class NeuralDensityTest : public testing::Test {
 protected:
  static void use_threads(int count) {
    set_thread_count(count);
    model::prepare_matrix_products();
  }
  void SetUp() override { use_threads(1); }
  void TearDown() override { set_thread_count(threads_); }

 private:
  int threads_ = thread_count();
};

/// Learned for some epochs from `count` particles of two conformations.
NeuralDensity learned(Scene& scene, int count, double noise, int epochs) {
  fill(scene, two_conformations(), count, noise);
  auto options = small_options();
  options.epochs = epochs;
  NeuralDensity density(kGrid, 1, options);
  scene.train(density, scene.members());
  return density;
}

}  // namespace

TEST_F(NeuralDensityTest, RecoversTwoConformationsAndTheirDifference) {
  Scene scene;
  const auto density = learned(scene, 200, 0.05, 12);
  std::vector<std::vector<float>> maps, truths;
  for (std::size_t t = 0; t < 2; ++t) {
    const float z = 5 + static_cast<float>(t);
    maps.push_back(density.map({&z, 1}));
    truths.push_back(scene.truths[t].map(kBox));
    const auto fsc = map_correlation(kBox, maps[t], truths[t]);
    for (int s = 1; s <= 3; ++s) EXPECT_GT(fsc[s], 0.9) << t << " shell " << s;
  }
  const auto fsc = map_correlation(kBox, difference(maps[0], maps[1]), difference(truths[0], truths[1]));
  for (int s = 1; s <= 3; ++s) EXPECT_GT(fsc[s], 0.8) << s;
}

TEST_F(NeuralDensityTest, FindsNothingInNoise) {
  constexpr int kTurns = 6;
  double sum = 0;
  for (int turn = 0; turn < kTurns; ++turn) {
    Scene scene;
    fill(scene, {Gaussians{}, Gaussians{}}, 100, 1, 100 + 10 * turn);
    std::vector<std::vector<float>> maps;
    for (const int half : {1, 2}) {
      NeuralDensity density(kGrid, 1, small_options());
      scene.train(density, scene.members(half));
      for (const float z : {5.0f, 6.0f}) maps.push_back(density.map({&z, 1}));
    }
    for (int z = 0; z < 2; ++z) {
      const auto fsc = map_correlation(kBox, maps[z], maps[2 + z]);
      sum += std::accumulate(fsc.begin() + 2, fsc.begin() + 8, 0.0) / 6;
    }
  }
  // Neighbouring shells of networks go together: one pair of maps has a mean FSC of 0 ± 0.13.
  EXPECT_LT(std::abs(sum / (2 * kTurns)), 0.15);
}

TEST_F(NeuralDensityTest, IsTheTransformOfARealMap) {
  Scene scene;
  const auto density = learned(scene, 20, 0.1, 1);
  const float z = 5.3f;
  Philox random(4);
  std::vector<float> k, opposite;
  for (int i = 0; i < 300; ++i) k.push_back(static_cast<float>(2.5 * random.normal()));
  for (const float c : {0.0f, 0.0f, 0.0f, 0.0f, 3.0f, 1.0f, 0.0f, 0.0f, -2.0f}) k.push_back(c);
  for (const float c : k) opposite.push_back(-c);
  const auto v = density.transform(k, {&z, 1}), w = density.transform(opposite, {&z, 1});
  for (std::size_t i = 0; i < v.size(); ++i) EXPECT_EQ(v[i], std::conj(w[i])) << i;

  const auto map = density.map({&z, 1});
  std::vector<std::complex<float>> spectrum(optics::half_size3(kBox));
  optics::rfft3(kBox, map.data(), spectrum.data());
  const float at[3] = {2, 3, -1};
  const auto expected = density.transform(at, {&z, 1})[0];  // even sum: no sign from the centre
  const auto found = spectrum[((kBox - 1) * kBox + 3) * (kBox / 2 + 1) + 2];
  EXPECT_NEAR(std::abs(found - expected), 0, 1e-4 * std::abs(spectrum[0]));
}

TEST_F(NeuralDensityTest, ThreadsAndInterruptionsDoNotMatter) {
  Scene scene;
  fill(scene, two_conformations(), 30, 0.1);
  auto options = small_options();
  options.epochs = 3;
  options.batch = 40;  // three parts
  const auto members = scene.members();
  const auto file = scene.set.stacks[0].parent_path() / "density.pt";
  const float z = 6;
  NeuralDensity whole(kGrid, 1, options);
  scene.train(whole, members);
  const auto expected = whole.map({&z, 1});
  use_threads(3);
  NeuralDensity stopped(kGrid, 1, options), resumed(kGrid, 1, options);
  const auto stop = [&] {
    stopped.save(file);
    fail("enough");
  };
  EXPECT_THROW(scene.train(stopped, members, stop), Error);
  resumed.load(file);
  scene.train(resumed, members);
  EXPECT_EQ(resumed.map({&z, 1}), expected);

  io::FloatMatrix fewer{members.size() - 1, 1, std::vector<float>(members.size() - 1)};
  EXPECT_THROW(resumed.train({scene.set, scene.reader, kWhite, fewer, members}), Error);

  options.hidden += 16;
  NeuralDensity wider(kGrid, 1, options);
  EXPECT_THROW(wider.load(file), Error);
  EXPECT_THROW(resumed.load(file.parent_path() / "missing.pt"), Error);
}
