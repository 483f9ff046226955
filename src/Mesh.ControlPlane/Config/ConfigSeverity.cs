namespace Mesh.ControlPlane.Config;

internal enum ConfigSeverity
{
    Warning,
    Error,
}
