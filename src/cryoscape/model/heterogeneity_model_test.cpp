#include "cryoscape/model/heterogeneity_model.hpp"

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <sstream>

#include "cryoscape/model/test_scene.hpp"
#include "cryoscape/util/error.hpp"
#include "cryoscape/util/test_names.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

namespace {

ModelOptions small_options(const std::string& prior) {
  ModelOptions options;
  options.latent_dim = 3, options.bead_sigma = 3;
  options.prior.kind = prior, options.prior.components = 4, options.prior.hidden = 4, options.prior.bits = 8,
  options.prior.chains = 16;
  return options;
}

Scene scene_of(const TestScene& test) {
  Scene scene;
  scene.box = test.box(), scene.pixel_size = test.spec.pixel_size, scene.max_shell = test.max_shell;
  scene.optics_groups = static_cast<int>(test.gain.size(0));
  const float* x = test.coordinates.data_ptr<float>();
  scene.coordinates.assign(x, x + test.coordinates[0].numel());
  scene.amplitudes.assign(test.amplitudes.data_ptr<float>(),
                          test.amplitudes.data_ptr<float>() + test.amplitudes.numel());
  return scene;
}

TestScene small_scene() { return {24, 11, 6, 12, 2, 41}; }

std::unique_ptr<HeterogeneityModel> make_model(const ModelOptions& options, std::uint64_t seed = 1) {
  const auto scene = small_scene();
  auto model = std::make_unique<HeterogeneityModel>(options, scene_of(scene), seed);
  model->spectral().set_state(scene.spectral().state());
  return model;
}

/// Moves the decoder off its start, where every latent gives the reference and no gradient reaches the
/// encoder.
void disturb(HeterogeneityModel& model, int seed) {
  torch::NoGradGuard no_grad;
  torch::manual_seed(seed);
  for (auto& p : model.parameters()) p.add_(0.02 * torch::randn_like(p));
}

bool same(const torch::Tensor& a, const torch::Tensor& b) {
  return a.defined() == b.defined() && (!a.defined() || torch::equal(a, b));
}

/// Parameters and buffers by name.
std::map<std::string, torch::Tensor> tensors_of(const HeterogeneityModel& model) {
  std::map<std::string, torch::Tensor> out;
  for (const auto& p : model.named_parameters()) out[p.key()] = p.value();
  for (const auto& b : model.named_buffers()) out[b.key()] = b.value();
  return out;
}

class EveryPrior : public testing::TestWithParam<std::string> {};

}  // namespace

TEST_P(EveryPrior, StartsAtTheReferenceWhateverTheLatent) {
  const auto model = make_model(small_options(GetParam()));
  const auto z = torch::rand({5, model->latent_dim()});
  const auto x = model->decode(z);
  const auto reference = torch::tensor(model->scene().coordinates).view({1, -1, 3});
  EXPECT_TRUE(torch::equal(x, reference.expand({5, -1, -1})));
}

TEST_P(EveryPrior, JacobianIsTheDecodersDerivativeByLatents) {
  const auto model = make_model(small_options(GetParam()));
  disturb(*model, 4);
  const auto z = torch::rand({3, model->latent_dim()}).requires_grad_();
  const auto [x, jacobian] = model->decode_with_jacobian(z.detach());
  const auto expected = model->decode(z);
  EXPECT_LT((x - expected).abs().max().item<double>(), 1e-5);
  const auto outer = torch::randn_like(x);
  const auto gradient = torch::autograd::grad({(expected * outer).sum()}, {z})[0];
  const auto found = (jacobian * outer.unsqueeze(1)).sum({2, 3});
  EXPECT_LT(((found - gradient).norm() / gradient.norm()).item<double>(), 1e-4);
}

TEST_P(EveryPrior, PosteriorsHaveTheLatentsShapeAndAreFinite) {
  const auto model = make_model(small_options(GetParam()));
  const auto bits = model->prior().bits();
  const bool reals = bits == 0 || GetParam() == "rbm+gaussian";
  EXPECT_EQ(model->latent_dim(), bits + (reals ? 3 : 0));
  const auto posterior = model->encode(small_scene().batch());
  EXPECT_EQ(posterior.bits, bits);
  EXPECT_EQ(posterior.mean.sizes(), (std::vector<std::int64_t>{6, model->latent_dim()}));
  EXPECT_EQ(posterior.log_std.defined(), reals);
  const auto point = latent::expectation(posterior);
  EXPECT_TRUE(torch::isfinite(point).all().item<bool>());
  if (bits > 0) {
    EXPECT_GT(point.narrow(1, 0, bits).min().item<double>(), 0);
    EXPECT_LT(point.narrow(1, 0, bits).max().item<double>(), 1);
  }
  if (reals) {
    EXPECT_TRUE(torch::equal(point.narrow(1, bits, 3), posterior.means()));
  }
}

TEST_P(EveryPrior, SavedAndLoadedItGivesTheSameOutputs) {
  const auto batch = small_scene().batch();
  auto a = make_model(small_options(GetParam())), b = make_model(small_options(GetParam()), 2);
  disturb(*a, 3);
  std::stringstream file;
  {
    torch::serialize::OutputArchive archive;
    a->save(archive);
    archive.save_to(file);
  }
  EXPECT_FALSE(torch::equal(a->encode(batch).mean, b->encode(batch).mean));
  torch::serialize::InputArchive archive;
  archive.load_from(file);
  b->load(archive);
  const auto p = a->encode(batch), q = b->encode(batch);
  EXPECT_TRUE(same(p.mean, q.mean));
  EXPECT_TRUE(same(p.log_std, q.log_std));
  const auto z = torch::rand({4, a->latent_dim()});
  EXPECT_TRUE(torch::equal(a->decode(z), b->decode(z)));
  EXPECT_TRUE(torch::equal(a->prior().energy(z), b->prior().energy(z)));
  const auto kept = tensors_of(*a), restored = tensors_of(*b);
  ASSERT_EQ(kept.size(), restored.size());
  for (const auto& [name, value] : kept) EXPECT_TRUE(torch::equal(value, restored.at(name))) << name;
}

TEST_P(EveryPrior, GradientsReachAllOfEncoderAndDecoderAndNotThePrior) {
  const auto batch = small_scene().batch();
  auto model = make_model(small_options(GetParam()));
  disturb(*model, 4);
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(5);
  const auto posterior = model->encode(batch);
  const auto sample = model->prior().draw(posterior, generator);
  const auto kl = model->prior().cross_entropy(posterior, sample) - latent::entropy(posterior);
  (kl - model->score(model->decode(sample.smooth), batch, false).log_likelihood).mean().backward();
  std::set<void*> networks;
  for (const auto& p : model->network_parameters()) {
    networks.insert(p.unsafeGetTensorImpl());
    ASSERT_TRUE(p.grad().defined());
    EXPECT_TRUE(torch::isfinite(p.grad()).all().item<bool>());
    EXPECT_GT(p.grad().abs().max().item<double>(), 0);
  }
  for (const auto& p : model->named_parameters()) {
    const bool network = p.key().rfind("encoder", 0) == 0 || p.key().rfind("decoder", 0) == 0;
    EXPECT_EQ(networks.count(p.value().unsafeGetTensorImpl()) == 1, network) << p.key();
    const auto gradient = p.value().grad();
    EXPECT_TRUE(network || !gradient.defined() || gradient.abs().max().item<double>() == 0) << p.key();
  }
}

TEST_P(EveryPrior, SeedsNameModels) {
  torch::manual_seed(100);
  const auto a = make_model(small_options(GetParam()), 7);
  torch::rand({17});
  const auto b = make_model(small_options(GetParam()), 7), c = make_model(small_options(GetParam()), 8);
  const auto first = tensors_of(*a), again = tensors_of(*b), other = tensors_of(*c);
  for (const auto& [name, value] : first) EXPECT_TRUE(torch::equal(value, again.at(name))) << name;
  EXPECT_FALSE(torch::equal(first.at("encoder.layer0.weight"), other.at("encoder.layer0.weight")));
}

INSTANTIATE_TEST_SUITE_P(HeterogeneityModel, EveryPrior, testing::ValuesIn(latent::prior_kinds()),
                         parameter_name);

TEST(HeterogeneityModel, PosteriorsOfBitsInGroupsLearnWithTheNetworks) {
  auto options = small_options("rbm");
  options.posterior_groups = 3;
  const auto model = make_model(options);
  disturb(*model, 8);
  const auto batch = small_scene().batch();
  auto generator = torch::make_generator<at::CPUGeneratorImpl>(5);
  const auto encoded = model->encode(batch);
  const auto sample = model->prior().draw(encoded, generator);
  const auto posterior = latent::given(encoded, sample);
  EXPECT_FALSE(torch::equal(posterior.logits(), encoded.logits()));
  const auto kl = model->prior().cross_entropy(posterior, sample) - latent::entropy(posterior);
  (kl - model->score(model->decode(sample.smooth), batch, false).log_likelihood).mean().backward();
  std::size_t of_groups = 0;
  for (const auto& p : model->named_parameters()) {
    if (p.key().rfind("groups", 0) != 0) continue;
    ++of_groups;
    EXPECT_GT(p.value().grad().abs().max().item<double>(), 0) << p.key();
  }
  EXPECT_EQ(of_groups, 8u);  // two networks of two layers
}

TEST(HeterogeneityModel, GroupsOfBitsNeedAPriorAndASmoothingThatTakeThem) {
  const auto message = [](ModelOptions options) -> std::string {
    options.posterior_groups = 2;
    try {
      make_model(options);
    } catch (const UsageError& error) {
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(message(small_options("rbm")), "");
  EXPECT_NE(message(small_options("gaussian")).find("not --prior gaussian"), std::string::npos);
  auto concrete = small_options("rbm");
  concrete.prior.smoothing.kind = "concrete";
  EXPECT_NE(message(concrete).find("--smoothing concrete"), std::string::npos);
}

TEST(HeterogeneityModel, BitsReachTheDecoderAsPlusAndMinusOne) {
  auto bits = make_model(small_options("rbm")), plain = make_model([] {
                                                  auto o = small_options("gaussian");
                                                  o.latent_dim = 8;
                                                  return o;
                                                }());
  disturb(*bits, 6);
  {
    torch::NoGradGuard no_grad;
    auto from = tensors_of(*bits), to = tensors_of(*plain);
    for (auto& [name, value] : to)
      if (name.rfind("decoder", 0) == 0) value.copy_(from.at(name));
  }
  const auto z = torch::bernoulli(torch::full({5, 8}, 0.5));
  EXPECT_TRUE(torch::equal(bits->decode(z), plain->decode(2 * z - 1)));
}

TEST(HeterogeneityModel, ScoreIsTheLikelihoodWithItsGradient) {
  auto test = small_scene();
  const auto batch = test.batch();
  for (const bool correlation : {false, true}) {
    auto options = small_options("gaussian");
    if (correlation) options.likelihood = "correlation";
    const auto model = make_model(options);
    auto x = test.coordinates.clone().requires_grad_();
    const auto weights = torch::rand({test.size()}) + 0.5;
    const auto scores = model->score(x, batch, true);
    (scores.log_likelihood * weights).sum().backward();
    auto value = torch::empty({test.size()}), contrast = torch::empty({test.size()}),
         gradient = torch::empty_like(test.coordinates);
    std::vector<SpectralSums> sums;
    evaluate_likelihood(
        model->projection(), model->scene().amplitudes, model->spectral(), {0.2, correlation},
        view(batch, test.coordinates),
        {value.data_ptr<float>(), gradient.data_ptr<float>(), contrast.data_ptr<float>(), nullptr, &sums});
    EXPECT_TRUE(torch::equal(scores.log_likelihood, value));
    EXPECT_TRUE(torch::equal(scores.contrast, contrast));
    EXPECT_TRUE(torch::equal(x.grad(), gradient * weights.view({-1, 1, 1})));
    ASSERT_EQ(scores.sums.size(), sums.size());
    for (std::size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(scores.sums[i].cross, sums[i].cross);
    EXPECT_TRUE(model->score(test.coordinates, batch, false).sums.empty());
    EXPECT_FALSE(model->score(test.coordinates, batch, false).log_likelihood.requires_grad());
  }
}

TEST(HeterogeneityModel, ContrastIsFixedOnRequest) {
  const auto test = small_scene();
  const auto batch = test.batch();
  const auto free = make_model(small_options("gaussian"));
  auto options = small_options("gaussian");
  options.no_contrast = true;
  const auto fixed = make_model(options);
  const auto ones = torch::ones({test.size()});
  EXPECT_FALSE(torch::equal(free->score(test.coordinates, batch, false).contrast, ones));
  EXPECT_TRUE(
      torch::equal(free->score(test.coordinates, batch, false, Score::fixed_contrast).contrast, ones));
  EXPECT_TRUE(torch::equal(fixed->score(test.coordinates, batch, false).contrast, ones));
}

TEST(HeterogeneityModel, EncoderCanReadRawImages) {
  auto options = small_options("gaussian");
  options.encoder_input = "image";
  auto test = small_scene();
  const auto model = make_model(options);
  const auto before = model->encode(test.batch()).mean;
  EXPECT_EQ(tensors_of(*model).at("encoder.layer0.weight").size(1), test.box() * test.box());
  test.spectra = test.spectra + torch::fft_rfft2(torch::randn({test.size(), test.box(), test.box()}));
  EXPECT_FALSE(torch::equal(before, model->encode(test.batch()).mean));
}

TEST(HeterogeneityModel, BackprojectedInputDependsOnTheImageNotOnItsRow) {
  const auto test = small_scene();
  const auto model = make_model(small_options("gaussian"));
  const auto all = model->encode(test.batch()).mean, some = model->encode(test.select({4, 1}).batch()).mean;
  EXPECT_LT((all.index_select(0, torch::tensor({4, 1})) - some).abs().max().item<double>(), 1e-5);
}
