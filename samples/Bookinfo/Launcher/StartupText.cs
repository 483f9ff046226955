namespace Bookinfo.Launcher;

/// <summary>What a person reads once everything runs.</summary>
internal static class StartupText
{
    public static void Write(LauncherConsole console, IReadOnlyList<ServiceProcess> processes, string folder, int monitoringPort)
    {
        var page = Address(processes.Single(process => process.Name == "productpage")).TrimEnd('/') + "/productpage";
        var examples = Path.Combine(Path.GetDirectoryName(folder)!, "mesh-examples");
        var active = Path.Combine(folder, "virtual-service-reviews.yaml");
        string Copy(string example) => $"cp {Quote(Path.Combine(examples, example))} {Quote(active)}";

        console.Line();
        console.Line($"  {console.Bold("Bookinfo runs on the mesh.")} Seven processes, no proxy beside any of them.");
        console.Line();
        console.Line($"    {"open",-14} {console.Bold(page)}");
        console.Line();
        foreach (var process in processes)
        {
            var admin = process.AdminPort > 0 ? $"admin http://127.0.0.1:{process.AdminPort}" : "";
            console.Line($"    {process.Name,-14} {Address(process),-26} {admin,-29} {console.Dim($"process {process.Id}")}");
        }

        if (monitoringPort > 0)
        {
            console.Line($"    {"what it knows",-14} http://127.0.0.1:{monitoringPort}/debug  {console.Dim("meshctl reads it: dotnet run --project src/Mesh.Cli -- proxy-status")}");
        }

        console.Line();
        console.Line($"    {"config folder",-14} {console.Bold(folder)}");
        console.Line($"    {"",-14} edit a file there and save: the next page follows");

        console.Line();
        console.Line($"  {console.Bold("Try next")}");
        console.Line("    1  Who answers? Twenty pages, counted by version of reviews:");
        console.Line($"         for i in $(seq 20); do curl -s {page} | grep -o 'reviews-v[0-9]'; done | sort | uniq -c");
        if (Directory.Exists(examples))
        {
            console.Line("    2  Send everybody to v3, the one with red stars, and load the page again:");
            console.Line($"         {Copy("virtual-service-reviews-v3.yaml")}");
            console.Line("    3  Black stars for jason alone: copy, then sign in as jason on the page:");
            console.Line($"         {Copy("virtual-service-reviews-test-v2.yaml")}");
        }

        console.Line();
        console.Line("  Ctrl-C stops everything.");
        console.Line();
    }

    private static string Address(ServiceProcess process) => process.Listening.Result;

    private static string Quote(string path) => path.Contains(' ', StringComparison.Ordinal) ? $"\"{path}\"" : path;
}
