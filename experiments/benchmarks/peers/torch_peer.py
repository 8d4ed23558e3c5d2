"""One loss and gradient of the paper's setting in PyTorch, float64, with autograd; see README.md.

positions   theory's definitions (2.1)–(2.4) as a user writes them, vectorised: features v [N, L, H, d], products with the
            query's, softmax over positions
matches     the same, with the indicators 1(x_{l−i} = x_{L+1−j}) of all positions as a constant matrix [N·L, M·M], so that
            all t_h are one matrix product
statistics  gihflow's own idea: counts n(Z, e) as a constant, features of the d^M windows alone (§4)

    torch_peer.py --data data.h5 --gihflow build/bin/gihflow
    torch_peer.py --device cuda
"""

import sys

import numpy as np

import setting

try:
    import torch
except ImportError:
    print("torch_peer: skipped, PyTorch is not installed", file=sys.stderr)
    sys.exit(0)

def feature_kernel(p, t):
    """k of (2.2) from t_h, one array a head."""
    k = torch.zeros_like(t[0])
    for weight, heads in zip(p, setting.subsets(len(t))):
        product = weight
        for h in heads:
            product = product * t[h]
        k = k + product
    return k


def loss_of(y, targets):
    d = targets.shape[1]
    return -(targets * torch.log((y + setting.EPSILON) / (1 + d * setting.EPSILON))).sum(dim=1).mean()


def positions(data, device, window=3):
    onehot = torch.eye(data.vocabulary, dtype=torch.float64)[torch.from_numpy(data.tokens)].to(device)
    targets = torch.from_numpy(data.targets).to(device)
    length = data.length
    # x_{l−i} one-hot, for l = M+1 … L+1, i = 1 … M: [M, N, L+1−M, d]
    lagged = torch.stack([onehot[:, window - i : length + 1 - i] for i in range(1, window + 1)]).contiguous()
    values = onehot[:, window:length].contiguous()

    def loss(c, w, a):
        p = c**2 / (c**2).sum()
        sigma = torch.softmax(w, dim=1)
        v = torch.einsum("hi,inle->hnle", sigma, lagged)
        t = torch.einsum("hnle,hne->hnl", v[:, :, :-1], v[:, :, -1])
        attention = torch.softmax(a * feature_kernel(p, t), dim=1)
        y = torch.einsum("nl,nle->ne", attention, values)
        return loss_of(y, targets)

    return loss


def matches(data, device, window=3):
    tokens = torch.from_numpy(data.tokens)
    length = data.length
    same = [
        tokens[:, window - i : length - i] == tokens[:, length - j : length - j + 1]
        for i in range(1, window + 1)
        for j in range(1, window + 1)
    ]
    same = torch.stack(same).to(torch.float64).reshape(window * window, -1).to(device)  # [M·M, N·(L−M)]
    onehot = torch.eye(data.vocabulary, dtype=torch.float64)[tokens[:, window:length]].to(device)
    targets = torch.from_numpy(data.targets).to(device)
    chains = data.chains

    def loss(c, w, a):
        p = c**2 / (c**2).sum()
        sigma = torch.softmax(w, dim=1)
        pairs = (sigma[:, :, None] * sigma[:, None, :]).reshape(sigma.shape[0], -1)
        t = (pairs @ same).reshape(sigma.shape[0], chains, -1)
        attention = torch.softmax(a * feature_kernel(p, t), dim=1)
        y = torch.bmm(attention[:, None, :], onehot)[:, 0]
        return loss_of(y, targets)

    return loss


def statistics(data, device, window=3):
    counts, query = setting.window_counts(data, window)
    order = np.argsort(query, kind="stable")
    counts = torch.from_numpy(counts[order]).to(device)
    query = torch.from_numpy(query[order]).to(device)
    targets = torch.from_numpy(data.targets[order]).to(device)
    windows = torch.from_numpy(setting.all_windows(data.vocabulary, window))
    onehot = torch.eye(data.vocabulary, dtype=torch.float64)[windows].to(device)  # [d^M, M, d]

    def loss(c, w, a):
        p = c**2 / (c**2).sum()
        sigma = torch.softmax(w, dim=1)
        v = torch.einsum("hi,zie->hze", sigma, onehot)
        t = v @ v.transpose(1, 2)
        e = torch.exp(a * feature_kernel(p, t))  # k ≤ 1: no shift needed at moderate a
        weighted = torch.bmm(e[query][:, None, :], counts)[:, 0]
        return loss_of(weighted / weighted.sum(dim=1, keepdim=True), targets)

    return loss


FORMULATIONS = {"positions": positions, "matches": matches, "statistics": statistics}


def gradient_of(loss, device):
    def gradient(*parameters):
        leaves = [torch.tensor(np.asarray(x), device=device, requires_grad=True) for x in parameters]
        value = loss(*leaves)
        derivatives = torch.autograd.grad(value, leaves)
        return value.item(), [x.cpu().numpy() for x in derivatives]  # waits for the device

    return gradient


def main():
    args = setting.arguments("Loss and gradient in PyTorch").parse_args()
    torch.set_num_threads(args.threads)
    if args.device == "cuda" and not torch.cuda.is_available():
        print("torch_peer: skipped, PyTorch sees no CUDA device", file=sys.stderr)
        return
    data = setting.data_of(args)
    args.chains, args.length = data.chains, data.length
    name = torch.cuda.get_device_name() if args.device == "cuda" else f"cpu, {args.threads} threads"
    chosen = args.formulation or FORMULATIONS
    setting.report("torch", torch.__version__, name, args,
                   {key: gradient_of(FORMULATIONS[key](data, args.device), args.device) for key in chosen})


if __name__ == "__main__":
    main()
