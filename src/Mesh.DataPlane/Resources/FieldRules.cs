using Mesh.Xds.Client;

namespace Mesh.DataPlane.Resources;

/// <summary>What compilers ask of single fields.</summary>
internal static class FieldRules
{
    public static string NotEmpty(string value, string path)
        => value.Length > 0 ? value : throw new ResourceRejectedException(path, "must not be empty");

    public static void Refuse(bool isSet, string path)
    {
        if (isSet)
        {
            throw new ResourceRejectedException(path, "is not supported by this data plane, and ignoring it would send requests elsewhere");
        }
    }
}
