namespace Mesh.ControlPlane.Config.Yaml;

internal enum YamlScalarType
{
    Null,
    Boolean,
    Integer,
    Float,
    String,
}
