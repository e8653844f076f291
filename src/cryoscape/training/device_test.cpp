#include "cryoscape/training/device.hpp"

#include <gtest/gtest.h>

#include "cryoscape/training/test_data_set.hpp"
#include "cryoscape/util/test_error.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

TEST(Device, AutoTakesAGpuWhereBuildAndMachineHaveOne) {
  EXPECT_EQ(choose_device("auto", 0, {true, 2}), torch::Device("cuda:0"));
  EXPECT_EQ(choose_device("auto", 0, {true, 0}), torch::Device("cpu"));
  EXPECT_EQ(choose_device("auto", 0, {false, 0}), torch::Device("cpu"));
  EXPECT_EQ(choose_device("cpu", 0, {true, 2}), torch::Device("cpu"));
}

TEST(Device, ProcessesOfAMachineTakeItsGpusInTurn) {
  for (const char* name : {"auto", "cuda"}) {
    EXPECT_EQ(choose_device(name, 1, {true, 2}), torch::Device("cuda:1"));
    EXPECT_EQ(choose_device(name, 2, {true, 2}), torch::Device("cuda:0"));
  }
  EXPECT_EQ(choose_device("cuda:0", 1, {true, 2}), torch::Device("cuda:0"));
  EXPECT_EQ(choose_device("auto", 1, {true, 0}), torch::Device("cpu"));
}

TEST(Device, NamesOneGpu) {
  EXPECT_EQ(choose_device("cuda", 0, {true, 2}), torch::Device("cuda:0"));
  EXPECT_EQ(choose_device("cuda:1", 0, {true, 2}), torch::Device("cuda:1"));
}

TEST(Device, OnesThatAreNotThereAreRefused) {
  EXPECT_MENTIONS(error_of([] { choose_device("cuda", 0, {false, 0}); }), "this build has no CUDA");
  EXPECT_MENTIONS(error_of([] { choose_device("cuda", 0, {true, 0}); }), "no CUDA device was found");
  EXPECT_MENTIONS(error_of([] { choose_device("cuda:2", 0, {true, 2}); }), "0 to 1");
}

TEST(Device, OtherNamesAreWrongUsage) {
  for (const char* name : {"gpu", "", "cuda:", "cuda:x", "cuda:-1", "cuda:1x", "CPU"})
    EXPECT_THROW(choose_device(name, 0, {true, 2}), UsageError) << name;
}
