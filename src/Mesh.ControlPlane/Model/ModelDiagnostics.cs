using Mesh.ControlPlane.Config;

namespace Mesh.ControlPlane.Model;

/// <summary>Collects what is wrong between documents, with the place of each.</summary>
internal sealed class ModelDiagnostics
{
    private readonly List<ConfigDiagnostic> _found = [];

    public IReadOnlyList<ConfigDiagnostic> Found => _found;

    public void Warn(ConfigResource resource, string code, string path, string message)
        => Add(ConfigSeverity.Warning, resource, code, path, message);

    public void Error(ConfigResource resource, string code, string path, string message)
        => Add(ConfigSeverity.Error, resource, code, path, message);

    public void Add(ConfigSeverity severity, ConfigResource resource, string code, string path, string message)
    {
        var (line, column) = resource.Source.Locate(path);
        _found.Add(new ConfigDiagnostic(
            severity,
            code,
            resource.Source.File,
            line,
            column,
            path,
            $"{resource.Kind.Kind} {resource.Namespace}/{resource.Name}",
            message));
    }
}
