"""The Grokking tab of TensorBoard: log step axis, both curves in one chart, stages, markers.

TensorBoard finds `plugin.GrokkingPlugin` by the entry point `tensorboard_plugins` of the installed
package; `grokkeras board` adds it by itself and shows it first.

    plugin.py   the routes
    names.py    which event-file run and tag is which curve of which run
    curves.py   the points of a curve: once a step, thinned, as JSON columns
    source.py   from TensorBoard's data provider to runs, rereading only what changed
    story.py    what happened: from the run folder where there is one, else from the curves
    static/     the page: ES modules without dependencies, no request leaves the machine
"""
