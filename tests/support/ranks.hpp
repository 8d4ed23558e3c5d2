#pragma once

// Processes of a job as threads of one.

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/ranks.hpp"

namespace gihflow::testing {

class ThreadRanks {
 public:
  explicit ThreadRanks(int count) : mail_(static_cast<std::size_t>(count)), count_(count) {}

  /// Runs the first process on this thread and the others beside it, to the end of all.
  void run(const std::function<void(Ranks&)>& first, const std::function<void(Ranks&)>& other) {
    std::vector<std::jthread> threads;
    for (int rank = 1; rank < count_; ++rank)
      threads.emplace_back([this, rank, &other] {
        Member member(*this, rank);
        other(member);
      });
    Member member(*this, 0);
    first(member);
  }

 private:
  class Member final : public Ranks {
   public:
    Member(ThreadRanks& all, int own) : all_(all), own_(own) {}
    int count() const override { return all_.count_; }
    int own() const override { return own_; }
    int local() const override { return own_; }
    void broadcast(std::string& message) override {
      if (own_ == 0) all_.news_ = message;
      all_.meet();
      message = all_.news_;
      all_.meet();
    }
    std::vector<std::string> gather(const std::string& message) override {
      all_.mail_[static_cast<std::size_t>(own_)] = message;
      all_.meet();
      std::vector<std::string> found;
      if (own_ == 0) found = all_.mail_;
      all_.meet();
      return found;
    }

   private:
    ThreadRanks& all_;
    int own_;
  };

  void meet() {
    std::unique_lock lock(mutex_);
    const int round = round_;
    if (++there_ == count_) {
      there_ = 0;
      ++round_;
      all_there_.notify_all();
    } else {
      all_there_.wait(lock, [&] { return round_ != round; });
    }
  }

  std::string news_;
  std::vector<std::string> mail_;
  int count_, there_ = 0, round_ = 0;
  std::mutex mutex_;
  std::condition_variable all_there_;
};

}  // namespace gihflow::testing
