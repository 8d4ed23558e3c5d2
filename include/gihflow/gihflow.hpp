#pragma once

/// \file
/// All public headers.

/// \namespace gihflow
/// Gradient flow of two-attention-layer transformers over a prior of n-gram Markov chains. Formula
/// numbers in brackets are those of docs/theory.md; flow time has no unit, losses are in nats.

/// \mainpage
/// Programs to begin with: \ref train_and_read.cpp, \ref loss_and_gradient.cpp,
/// \ref observer.cpp, \ref many_runs.cpp. How the headers are ordered, and how one number goes
/// through them, is in docs/architecture.md.
/// \example train_and_read.cpp
/// Three stages, written to a file and read back.
/// \example loss_and_gradient.cpp
/// Loss and gradient at a point, on chains drawn from the prior.
/// \example observer.cpp
/// Follows a run step by step and ends it early.
/// \example many_runs.cpp
/// A table over priors and seeds.

#include "gihflow/base/context.hpp"
#include "gihflow/base/digits.hpp"
#include "gihflow/base/errors.hpp"
#include "gihflow/base/export.hpp"
#include "gihflow/base/fault.hpp"
#include "gihflow/base/interrupted.hpp"
#include "gihflow/base/mean_error.hpp"
#include "gihflow/base/memory.hpp"
#include "gihflow/base/parallel.hpp"
#include "gihflow/base/random.hpp"
#include "gihflow/base/size.hpp"
#include "gihflow/base/subsets.hpp"
#include "gihflow/base/text.hpp"
#include "gihflow/base/types.hpp"
#include "gihflow/base/version.hpp"
#include "gihflow/chain/distributions.hpp"
#include "gihflow/chain/kernel.hpp"
#include "gihflow/chain/prior.hpp"
#include "gihflow/chain/sequence.hpp"
#include "gihflow/chain/stationary.hpp"
#include "gihflow/flow/compare.hpp"
#include "gihflow/flow/descent.hpp"
#include "gihflow/flow/flow.hpp"
#include "gihflow/flow/hessian.hpp"
#include "gihflow/flow/modified.hpp"
#include "gihflow/flow/schedule.hpp"
#include "gihflow/flow/trajectory.hpp"
#include "gihflow/information/chi_square.hpp"
#include "gihflow/model/blocks.hpp"
#include "gihflow/model/model.hpp"
#include "gihflow/model/parameters.hpp"
#include "gihflow/population/device.hpp"
#include "gihflow/population/gain.hpp"
#include "gihflow/population/infinite.hpp"
#include "gihflow/population/objective.hpp"
#include "gihflow/population/reading.hpp"
#include "gihflow/population/window_sample.hpp"
#include "gihflow/record/comparison_file.hpp"
#include "gihflow/record/data_file.hpp"
#include "gihflow/record/data_hash.hpp"
#include "gihflow/record/difference.hpp"
#include "gihflow/record/isolation.hpp"
#include "gihflow/record/kernel_file.hpp"
#include "gihflow/record/library.hpp"
#include "gihflow/record/output_file.hpp"
#include "gihflow/record/parameter_file.hpp"
#include "gihflow/record/provenance.hpp"
#include "gihflow/record/run_file.hpp"
#include "gihflow/record/schema.hpp"
#include "gihflow/record/sweep_file.hpp"
#include "gihflow/record/verification_file.hpp"
#include "gihflow/run/audit.hpp"
#include "gihflow/run/check.hpp"
#include "gihflow/run/collect.hpp"
#include "gihflow/run/compare.hpp"
#include "gihflow/run/config.hpp"
#include "gihflow/run/estimate.hpp"
#include "gihflow/run/evaluate.hpp"
#include "gihflow/run/objectives.hpp"
#include "gihflow/run/observer.hpp"
#include "gihflow/run/options.hpp"
#include "gihflow/run/predict.hpp"
#include "gihflow/run/problem.hpp"
#include "gihflow/run/rank.hpp"
#include "gihflow/run/report.hpp"
#include "gihflow/run/resume.hpp"
#include "gihflow/run/sample.hpp"
#include "gihflow/run/setting.hpp"
#include "gihflow/run/sweep.hpp"
#include "gihflow/run/sweep_plan.hpp"
#include "gihflow/run/train.hpp"
#include "gihflow/run/verify.hpp"
#include "gihflow/theory/concentration.hpp"
#include "gihflow/theory/critical_logit.hpp"
#include "gihflow/theory/distance.hpp"
#include "gihflow/theory/measurement.hpp"
#include "gihflow/theory/prediction.hpp"
#include "gihflow/theory/predictors.hpp"
#include "gihflow/theory/quantity.hpp"
#include "gihflow/theory/replicator.hpp"
#include "gihflow/theory/sharpening.hpp"
#include "gihflow/theory/verification.hpp"
