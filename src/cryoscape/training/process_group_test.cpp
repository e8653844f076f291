#include "cryoscape/training/process_group.hpp"

#include <gtest/gtest.h>

#include <future>
#include <thread>

#include "cryoscape/training/local_address.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

using Work = std::function<void(ProcessGroup&)>;

/// The members of a group as threads of this process, each doing its own work.
void together(const std::vector<Work>& works) {
  std::promise<int> port;
  const auto known = port.get_future().share();
  std::vector<std::thread> members;
  for (std::size_t rank = 0; rank < works.size(); ++rank)
    members.emplace_back([&, rank] {
      ProcessPlace place;
      place.rank = static_cast<int>(rank), place.size = static_cast<int>(works.size());
      place.address = "127.0.0.1";
      if (rank > 0) place.port = known.get();
      ProcessGroup group(place, [&](int p) {
        if (rank == 0) port.set_value(p);
      });
      works[rank](group);
    });
  for (auto& member : members) member.join();
}

void together(int size, const Work& work) {
  together(std::vector<Work>(static_cast<std::size_t>(size), work));
}

class ProcessGroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!ProcessGroup::available()) GTEST_SKIP() << "this build has no process groups";
  }
};

}  // namespace

TEST_F(ProcessGroupTest, SumsInPlace) {
  together(3, [](ProcessGroup& group) {
    const auto large = torch::full({100, 3}, static_cast<float>(group.rank() + 1));
    group.sum(large);
    EXPECT_TRUE(torch::equal(large, torch::full({100, 3}, 6.0f)));
    std::vector<double> values{1e-3 * group.rank(), 1};
    group.sum(values);
    EXPECT_DOUBLE_EQ(values[0], 3e-3);
    EXPECT_DOUBLE_EQ(values[1], 3);
    group.sum(std::span<double>());
  });
}

TEST_F(ProcessGroupTest, GathersInTheOrderOfRanks) {
  together(3, [](ProcessGroup& group) {
    EXPECT_EQ(group.gather({group.rank(), 7}), (std::vector<std::int64_t>{0, 7, 1, 7, 2, 7}));
    EXPECT_EQ(group.largest(group.rank() == 1 ? 5 : -5), 5);
  });
}

TEST_F(ProcessGroupTest, BroadcastsFromTheFirst) {
  together(2, [](ProcessGroup& group) {
    const auto values = torch::arange(4) + 10 * group.rank();
    group.broadcast(values);
    EXPECT_TRUE(torch::equal(values, torch::arange(4)));
  });
}

TEST_F(ProcessGroupTest, SaysThatAMemberIsLost) {
  together({[](ProcessGroup& group) {
              EXPECT_THROW(group.barrier(), PeerLost);
              EXPECT_EQ(group.leave(), std::nullopt);
            },
            [](ProcessGroup&) {}});
}

TEST_F(ProcessGroupTest, TheFirstErrorIsHandedOver) {
  together({[](ProcessGroup& group) {
              EXPECT_THROW(group.barrier(), PeerLost);
              EXPECT_EQ(group.leave(), "no such file");
            },
            [](ProcessGroup& group) { EXPECT_TRUE(group.hand_over("no such file")); },
            [](ProcessGroup& group) {
              EXPECT_THROW(group.barrier(), PeerLost);
              EXPECT_TRUE(group.hand_over(""));
            }});
}

TEST(LoneProcess, LeavesValuesAsTheyAre) {
  auto& group = lone_process();
  EXPECT_TRUE(group.alone());
  EXPECT_TRUE(group.first());
  std::vector<double> values{1, 2};
  group.sum(values);
  group.barrier();
  EXPECT_EQ(values, (std::vector<double>{1, 2}));
  EXPECT_EQ(group.gather({3}), std::vector<std::int64_t>{3});
  EXPECT_FALSE(group.hand_over("lost"));
  EXPECT_EQ(group.leave(), std::nullopt);
}

TEST(LocalAddress, IsTheOneOnTheWay) {
  EXPECT_EQ(local_address_towards("127.0.0.1", 1), "127.0.0.1");
  EXPECT_EQ(local_address_towards("no-such-host.invalid", 1), "");
}
