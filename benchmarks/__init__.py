"""Baselines that grokkeras' speed is measured beside: training loops written without it.

One file a framework, each as a skilled user of that framework would write it, and each runnable on
its own: `python -m benchmarks.jax_loop W1 plain`. Nothing here imports grokkeras.
"""
