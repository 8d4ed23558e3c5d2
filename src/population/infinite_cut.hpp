#pragma once

#include "gihflow/model/model.hpp"

namespace gihflow::infinite {

Index windows_of(const Model& model);  ///< d^W, W the number of lags that the model uses

/// How queries and chains are cut.
struct Cut {
  Index all_strips, strips, panels;  // of queries, those of a panel, and how many panels there are
  Index at_once;                     // panels that are held together
  Index tile, tiles, ranges;         // chains of a tile; ranges of tiles for one panel

  Cut(Index windows, Index states, Index chains);
};

}  // namespace gihflow::infinite
