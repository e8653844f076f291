#include "cryoscape/training/process_place.hpp"

#include <gtest/gtest.h>

#include <map>

#include "cryoscape/util/error.hpp"

using namespace cryoscape;
using namespace cryoscape::training;

namespace {

using Variables = std::map<std::string, std::string>;

std::optional<ProcessPlace> place(const Variables& variables) {
  return place_from([&](const std::string& name) {
    const auto found = variables.find(name);
    return found == variables.end() ? std::nullopt : std::optional(found->second);
  });
}

std::string complaint(const Variables& variables) {
  try {
    place(variables);
  } catch (const UsageError& e) {
    return e.what();
  }
  return "";
}

const Variables kTorchrun{{"RANK", "3"},
                          {"WORLD_SIZE", "4"},
                          {"LOCAL_RANK", "1"},
                          {"LOCAL_WORLD_SIZE", "2"},
                          {"MASTER_ADDR", "node7"},
                          {"MASTER_PORT", "29500"}};

Variables with(Variables variables, const std::string& name, const std::string& value) {
  variables[name] = value;
  return variables;
}

Variables without(Variables variables, const std::string& name) {
  variables.erase(name);
  return variables;
}

}  // namespace

TEST(ProcessPlace, AProcessIsAloneUnlessItsEnvironmentSaysOtherwise) {
  EXPECT_FALSE(place({}));
  EXPECT_FALSE(place({{"WORLD_SIZE", "1"}}));
  EXPECT_FALSE(place({{"RANK", "0"}, {"MASTER_ADDR", "node"}}));
}

TEST(ProcessPlace, IsReadFromTorchrun) {
  const auto p = place(kTorchrun);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->rank, 3);
  EXPECT_EQ(p->size, 4);
  EXPECT_EQ(p->local_rank, 1);
  EXPECT_EQ(p->local_size, 2);
  EXPECT_EQ(p->address, "node7");
  EXPECT_EQ(p->port, 29500);
  EXPECT_FALSE(p->others_store);
  EXPECT_TRUE(place(with(kTorchrun, "TORCHELASTIC_USE_AGENT_STORE", "True"))->others_store);
}

TEST(ProcessPlace, VariablesThatMakeNoSenseAreNamed) {
  for (const char* name : {"RANK", "MASTER_ADDR", "MASTER_PORT"})
    EXPECT_NE(complaint(without(kTorchrun, name)).find(name), std::string::npos) << name;
  for (const char* name : {"RANK", "WORLD_SIZE", "MASTER_PORT", "LOCAL_RANK"})
    EXPECT_NE(complaint(with(kTorchrun, name, "four")).find(name), std::string::npos) << name;
  EXPECT_NE(complaint(with(kTorchrun, "RANK", "4")).find("RANK is 4"), std::string::npos);
  EXPECT_NE(complaint(with(kTorchrun, "WORLD_SIZE", "0")).find("WORLD_SIZE"), std::string::npos);
}

TEST(ProcessPlace, IsReadFromASlurmStep) {
  Variables step{{"SLURM_PROCID", "5"},         {"SLURM_NTASKS", "8"},
                 {"SLURM_STEP_NUM_TASKS", "8"}, {"SLURM_STEP_NUM_NODES", "2"},
                 {"SLURM_LOCALID", "1"},        {"SLURM_STEP_NODELIST", "node[03-04]"},
                 {"SLURM_JOB_ID", "1234567"},   {"SLURM_STEP_ID", "0"}};
  const auto p = place(step);
  ASSERT_TRUE(p);
  EXPECT_EQ(p->rank, 5);
  EXPECT_EQ(p->size, 8);
  EXPECT_EQ(p->local_rank, 1);
  EXPECT_EQ(p->address, "node03");
  EXPECT_GE(p->port, 1024);
  EXPECT_LT(p->port, 32768);
  EXPECT_NE(p->port, place(with(step, "SLURM_STEP_ID", "1"))->port);
  EXPECT_EQ(place(with(step, "MASTER_PORT", "4000"))->port, 4000);
  EXPECT_EQ(place(with(step, "MASTER_ADDR", "10.0.0.1"))->address, "10.0.0.1");
  EXPECT_EQ(place(with(step, "SLURM_STEP_NUM_NODES", "1"))->address, "127.0.0.1");
  EXPECT_EQ(place({{"SLURM_PROCID", "1"}, {"SLURM_NTASKS", "2"}, {"SLURM_LAUNCH_NODE_IPADDR", "10.0.0.7"}})
                ->address,
            "10.0.0.7");
}

TEST(ProcessPlace, OneTaskAndBatchScriptsAreAlone) {
  EXPECT_FALSE(place({{"SLURM_PROCID", "0"}, {"SLURM_NTASKS", "8"}, {"SLURM_JOB_NODELIST", "node[1-2]"}}));
  EXPECT_FALSE(place({{"SLURM_PROCID", "0"},
                      {"SLURM_NTASKS", "8"},
                      {"SLURM_STEP_NUM_TASKS", "1"},
                      {"SLURM_LAUNCH_NODE_IPADDR", "10.0.0.7"}}));
}

TEST(ProcessPlace, FindsTheFirstHostOfNodeLists) {
  EXPECT_EQ(first_host("alone"), "alone");
  EXPECT_EQ(first_host("a,b"), "a");
  EXPECT_EQ(first_host("node[03-07,11],other"), "node03");
  EXPECT_EQ(first_host("node[9,11]"), "node9");
  EXPECT_EQ(first_host("rack[1-2]n[05-06]"), "rack1n05");
  EXPECT_EQ(first_host("node[1-2]-ib,x"), "node1-ib");
}

TEST(ProcessPlace, ThreadsAreDivided) {
  EXPECT_EQ(share_of_threads(8, 0, 2), 4);
  EXPECT_EQ(share_of_threads(7, 0, 2) + share_of_threads(7, 1, 2), 7);
  EXPECT_EQ(share_of_threads(1, 3, 4), 1);
}
