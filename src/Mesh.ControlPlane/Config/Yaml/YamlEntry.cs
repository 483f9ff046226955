namespace Mesh.ControlPlane.Config.Yaml;

internal readonly record struct YamlEntry(YamlScalar Key, YamlNode Value);
