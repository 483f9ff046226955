namespace Mesh.Cli;

internal static class Program
{
    public static Task<int> Main(string[] arguments) => Meshctl.RunAsync(arguments, CliEnvironment.OfProcess());
}
