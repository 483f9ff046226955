namespace Mesh.DataPlane.Routing;

internal enum PathMatchKind
{
    Exact,
    Prefix,
    PathSeparatedPrefix,
    Regex,
}
