namespace Mesh.DataPlane.Tests.Matching.Re2;

/// <summary>Runs only where the driver around RE2 itself has been built (<c>.ci/re2-driver</c>).</summary>
internal sealed class Re2DriverFactAttribute : FactAttribute
{
    public const string Variable = "MESH_RE2_DRIVER";

    public Re2DriverFactAttribute()
    {
        if (Environment.GetEnvironmentVariable(Variable) is not { Length: > 0 } path)
        {
            Skip = $"{Variable} is not set: build the driver with .ci/re2-driver (needs g++ and libre2-dev) and set it to its path";
        }
        else if (!File.Exists(path))
        {
            Skip = $"{Variable} names '{path}', which does not exist";
        }
    }
}
