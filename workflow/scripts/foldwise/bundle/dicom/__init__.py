"""Answers as DICOM objects that lie in the exam of the image that they are about."""
