namespace LabApps.HelloWorld;

/// <summary>Answers <c>Hello World</c>, whatever is asked.</summary>
internal static class HelloWorldEndpoints
{
    public static void Map(WebApplication app) => app.MapFallback(() => Results.Text("Hello World", "text/plain; charset=utf-8"));
}
