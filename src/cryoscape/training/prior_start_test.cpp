#include "cryoscape/training/prior_start.hpp"

#include <gtest/gtest.h>

#include "cryoscape/training/test_data_set.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

struct Setting {
  structure::BeadModel beads = structure::make_beads(bent_helix(0), structure::BeadLevel::residue);
  std::unique_ptr<model::HeterogeneityModel> model;

  explicit Setting(const std::string& prior) {
    model::Scene scene;
    scene.box = 24, scene.pixel_size = 2.5, scene.max_shell = 8;
    scene.coordinates = beads.coordinates;
    scene.amplitudes.assign(beads.size(), 40);
    model::ModelOptions options;
    options.latent_dim = 4, options.prior.kind = prior, options.prior.bits = 6;
    model = std::make_unique<model::HeterogeneityModel>(options, scene, 1);
    torch::manual_seed(2);
    torch::NoGradGuard no_grad;
    for (auto& p : model->network_parameters()) p.add_(0.02 * torch::randn_like(p));
  }

  /// What the decoder does between two latents (d), of length 1.
  structure::Motions between(const torch::Tensor& from, const torch::Tensor& to) {
    torch::NoGradGuard no_grad;
    const auto x = model->decode(torch::stack({from, to}));
    const auto u = (x[1] - x[0]).flatten();
    const auto unit = (u / u.norm()).contiguous();
    return {1, {unit.data_ptr<float>(), unit.data_ptr<float>() + unit.numel()}, {0}};
  }
};

}  // namespace

TEST(Participation, FindsTheLatentsThatMakeAMotion) {
  Setting setting("gaussian");
  auto means = 0.3 * torch::randn({200, 4});
  const auto deviations = torch::full({200, 4}, 0.1f);
  means.index_put_({7}, std::numeric_limits<float>::quiet_NaN());  // an unusable particle
  const auto spread = (torch::nanmean(means.pow(2), 0) + 0.01).sqrt(), centre = torch::nanmean(means, 0);
  const auto direction = torch::tensor({0.6f, 0.0f, -0.8f, 0.0f});
  const auto motions = setting.between(centre - 0.5 * spread * direction, centre + 0.5 * spread * direction);
  const auto found = participation(*setting.model, means, deviations, motions);
  ASSERT_EQ(found.sizes(), (std::vector<std::int64_t>{4, 1}));
  EXPECT_GT(found.select(1, 0).dot(direction).item<double>(), 0.95);
  EXPECT_NEAR(found.norm().item<double>(), 1, 1e-5);
}

TEST(Participation, OfADecoderThatMovesNothingIsZero) {
  Setting setting("rbm");
  {
    torch::NoGradGuard no_grad;
    for (auto& p : setting.model->network_parameters()) p.zero_();
  }
  const auto motions = starting_motions("modes", structure::make_restraints(setting.beads, {}), 3);
  ASSERT_EQ(motions.count, 3u);
  const auto found =
      participation(*setting.model, torch::full({20, 6}, 0.5f), torch::full({20, 6}, 0.5f), motions);
  EXPECT_EQ(found.abs().max().item<double>(), 0);
}

TEST(Participation, StartsEveryPriorThatHasCouplings) {
  for (const auto& kind : latent::prior_kinds()) {
    Setting setting(kind);
    auto& prior = setting.model->prior();
    if (prior.motions() == 0) continue;
    auto generator = torch::make_generator<at::CPUGeneratorImpl>(3);
    const auto means = torch::rand({300, prior.dim()}, generator);
    const auto deviations = torch::full({300, prior.dim()}, 0.2f);
    for (const char* init : {"modes", "segments"}) {
      const auto motions =
          starting_motions(init, structure::make_restraints(setting.beads, {}), prior.motions());
      prior.after_warm_up(means, deviations, generator,
                          participation(*setting.model, means, deviations, motions));
      const auto z = prior.sample(2000, generator);
      EXPECT_TRUE(torch::isfinite(z).all().item<bool>()) << kind;
      EXPECT_LT((z.mean(0) - 0.5).abs().max().item<double>(), 0.2) << kind << " " << init;
    }
  }
}
