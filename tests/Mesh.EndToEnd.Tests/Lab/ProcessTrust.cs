using System.Runtime.CompilerServices;
using Mesh.TestNet;

namespace Mesh.EndToEnd.Tests.Lab;

/// <summary>Has the test's authority trusted before anything in this process looks at a certificate.</summary>
internal static class ProcessTrust
{
#pragma warning disable CA2255 // The process is the test runner's; nothing else of ours runs before the first test.
    [ModuleInitializer]
#pragma warning restore CA2255
    internal static void Install() => SystemTrust.Install();
}
