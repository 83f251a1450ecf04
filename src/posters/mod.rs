//! What is printed: QR matrix, PDF, PNG, SVG.
