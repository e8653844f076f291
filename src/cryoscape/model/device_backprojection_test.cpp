#include "cryoscape/model/device_backprojection.hpp"

#include <gtest/gtest.h>

#include "cryoscape/model/test_scene.hpp"

using namespace cryoscape;
using namespace cryoscape::model;

TEST(DeviceBackprojection, IsTheKernels) {
  for (auto scene : {TestScene(24, 12, 5, 20, 2, 1), TestScene(32, 10, 3, 40, 1, 2)}) {
    // Some padding, and points beyond the image.
    scene.spectra.select(2, 9).zero_();
    const std::vector<float> beads{0, 0, 0, 30, -25, 10};
    const auto lattice = make_feature_lattice(beads, 12, 4, 800);
    ASSERT_GT(lattice.size(), 100u);
    const auto spectral = scene.spectral();
    auto expected = torch::empty({scene.size(), static_cast<std::int64_t>(lattice.size())});
    backproject_features(lattice, scene.spec, spectral, scene.view(),
                         {expected.data_ptr<float>(), static_cast<std::size_t>(expected.numel())});
    const DeviceBackprojection device(lattice, scene.spec, scene.max_shell, torch::kCPU);
    const auto features = device.features(spectral, scene.batch());
    EXPECT_LT(((features - expected).norm() / expected.norm()).item<double>(), 1e-5) << scene.box();
    EXPECT_TRUE(torch::equal(features == 0, expected == 0)) << scene.box();
    EXPECT_TRUE((expected == 0).any().item<bool>());
  }
}
