#pragma once

#include "gihflow/model/model.hpp"

namespace gihflow::infinite {

/// How windows and chains are cut.
struct Cut {
  Index windows;              // d^W
  Index panel, panels;        // queries of a panel, and how many panels there are
  Index at_once;              // panels that are held together
  Index tile, tiles, ranges;  // chains of a tile; ranges of tiles for one panel
  double column_bytes;        // of the features beside one query

  Cut(const Model& model, Index chains);
};

}  // namespace gihflow::infinite
