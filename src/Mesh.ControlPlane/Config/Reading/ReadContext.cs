using Mesh.ControlPlane.Config.Yaml;

namespace Mesh.ControlPlane.Config.Reading;

/// <summary>What is found wrong while one object is read: all of it, up to a bound.</summary>
internal sealed class ReadContext(ConfigReaderOptions options)
{
    private readonly List<ReadProblem> _problems = [];

    public IReadOnlyList<ReadProblem> Problems => _problems;

    public bool HasErrors { get; private set; }

    public void Error(YamlNode at, YamlPath path, string message) => Error(at, path.ToString(), message);

    public void Error(YamlNode at, string path, string message) => Add(ConfigSeverity.Error, ConfigCodes.Schema, at, path, message);

    public void UnknownField(YamlNode at, YamlPath path, string message)
        => Add(
            options.Lenient ? ConfigSeverity.Warning : ConfigSeverity.Error,
            ConfigCodes.UnknownField,
            at,
            path.ToString(),
            options.Lenient ? message + " It is ignored." : message);

    public void Add(ConfigSeverity severity, string code, YamlNode at, string path, string message)
    {
        HasErrors |= severity == ConfigSeverity.Error;
        if (_problems.Count < options.Limits.MaxErrors)
        {
            _problems.Add(new ReadProblem(severity, code, at.Line, at.Column, path, message));
        }
    }
}
