"""The model registry on MLflow. The only package that imports mlflow."""
