using System.Reflection;

namespace Mesh.Testing.Tests;

public sealed class PackageTests
{
    [Fact]
    public void Needs_no_ASP_NET()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        var todo = new Queue<Assembly>([typeof(MeshTestHost).Assembly]);
        while (todo.TryDequeue(out var assembly))
        {
            foreach (var reference in assembly.GetReferencedAssemblies())
            {
                if (seen.Add(reference.Name!) && reference.Name!.StartsWith("Mesh", StringComparison.Ordinal))
                {
                    todo.Enqueue(Assembly.Load(reference));
                }
            }
        }

        seen.ShouldContain("Mesh.DataPlane");
        seen.ShouldContain("Mesh.ControlPlane");
        seen.ShouldAllBe(name => !name.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));
    }
}
