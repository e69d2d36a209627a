"""`grokkeras report`: what became of one run or many, as one HTML file and as figures for papers.

    drawing.py    shapes and text, written as SVG or PNG
    plot.py       axes, curves and stages made of them
    figures.py    the figures of a report
    network.py    what a network learned: its frequencies, circles and representations
    causes.py     why a run is stuck or went well, with the evidence (also `grokkeras explain`)
    facts.py      the numbers that the causes ask for
    settings.py   the settings in which runs differ
    page.py       the HTML, of parts.py, single.py and many.py
    files.py      figures as files

Nothing here imports Keras: a report is made of the run folders alone.
"""
