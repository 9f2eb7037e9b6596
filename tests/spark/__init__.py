"""Tables on Apache Spark: in one process, and on a cluster of one master and two workers."""
