using Isolation;
var r = await new ContainerBuilder().FromHost().WithCommand(args.Length > 0 ? args : ["sh", "-c", "id; hostname; echo $$; ls /"]).RunAsync();
Console.Write(r.StandardOutput); Console.Error.Write(r.StandardError); Console.WriteLine(r + " " + r.Elapsed.TotalMilliseconds);
