"""One world from one seed, on virtual time: an exchange that lies, a bot that errs, and the service over both.

Everything of the product is real, from the HTTP client on: only the network, the time and what is kept between two
processes are made here. It knows what it planted, and so it can say how much was found, how fast, and how rightly.
"""
