"""Steps: what a layer with parameters does to a whole chunk of workers, forward and backward.

Each has `forward_kept(x, values)`, which gives the output and what the way back needs, and `backward(g, kept, values,
slab, workers, onward=...)`, which writes each worker's parameter gradients into views of the slab and gives the
input's; those of recurrent networks take and give states besides.
w workers, N = w B samples, worker-major: those of worker r are rows r B to (r + 1) B - 1.
"""
